#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "host/peer.h"

#define ID "0fb1c6a1d8f0e7c54f3b0a9a77c2d1e0b5a4938271605f4e3d2c1b0a99887766"

/* cgroups(7): version 1, version 2 with systemd, podman; and the mount of /etc/hosts, where a
 * cgroup namespace hides the rest. */
Test(peer, knows_a_container_by_its_cgroup)
{
        static const char *const texts[] = {
                "12:pids:/docker/" ID "\n11:cpu:/docker/" ID "\n",
                "0::/system.slice/docker-" ID ".scope\n",
                "0::/user.slice/libpod-" ID ".scope/container\n",
                "/containers/" ID "/hosts /etc/hosts rw",
        };
        char id[72];
        for (size_t i = 0; i < LEN(texts); i++) {
                cr_expect(host_peer_container(texts[i], id), "%s", texts[i]);
                cr_expect_str_eq(id, ID);
        }
}

Test(peer, knows_none_where_there_is_none)
{
        static const char *const texts[] = { "",
                                             "0::/\n",
                                             "0::/user.slice/session-2.scope\n",
                                             "0::/docker/0fb1c6a1d8f0\n",
                                             ("0::/docker/" ID "00\n"),
                                             ("x" ID) };
        char id[72];
        for (size_t i = 0; i < LEN(texts); i++)
                cr_expect_not(host_peer_container(texts[i], id), "%s", texts[i]);
}

/* A real connection to ourselves: the kernel says that both ends are this process. */
Test(peer, finds_the_process_behind_a_port)
{
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
                           mine;
        socklen_t n = sizeof at, m = sizeof mine;
        int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
        cr_assert(server >= 0 && client >= 0 &&
                  bind(server, (struct sockaddr *)&at, sizeof at) == 0 && listen(server, 1) == 0 &&
                  getsockname(server, (struct sockaddr *)&at, &n) == 0 &&
                  connect(client, (struct sockaddr *)&at, sizeof at) == 0 &&
                  getsockname(client, (struct sockaddr *)&mine, &m) == 0);
        Peer peer;
        cr_assert(host_peer_find(getpid(), ntohs(mine.sin_port), ntohs(at.sin_port), &peer));
        cr_expect_eq(peer.pid, getpid());
        cr_expect(str_starts(peer.name, "test_host_peer"), "%s", peer.name);
        cr_expect_not(host_peer_find(getpid(), ntohs(at.sin_port), 1, &peer));
        close(client);
        cr_expect_not(host_peer_find(getpid(), ntohs(mine.sin_port), ntohs(at.sin_port), &peer));
        close(server);
}
