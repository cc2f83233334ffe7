/* child.c: from fork to exec, without a shell and without surprises. */
#include "proc/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

extern char **environ;

/* What a child may see of our environment. PG* would change where psql and pg_dump connect;
 * anything else may hold a secret that is none of the child's business. */
static bool inherited(const char *entry)
{
        static const char *const names[] = {
                "PATH=",
                "HOME=",
                "LANG=",
                "LC_ALL=",
                "LC_CTYPE=",
                "TERM=",
                "USER=",
                "LOGNAME=",
                "TZ=",
                "DOCKER_HOST=",
                "DOCKER_CONFIG=",
                "DOCKER_CONTEXT=",
                "DOCKER_CERT_PATH=",
                "DOCKER_TLS_VERIFY=",
                "KUBECONFIG=",
                "XDG_",
                "SSH_AUTH_SOCK=",
        };
        for (size_t i = 0; i < LEN(names); i++)
                if (str_starts(entry, names[i]))
                        return true;
        return false;
}

void proc_forget_pg(void)
{
        size_t k = 0;
        for (char **e = environ; e && *e; e++)
                if (!str_starts(*e, "PG") || str_starts(*e, "PGSHERPA_"))
                        environ[k++] = *e;
        if (environ)
                environ[k] = NULL;
}

/* A later entry of the same name replaces the earlier one. */
static void env_put(char **env, size_t *n, const char *entry)
{
        size_t name = strcspn(entry, "=") + 1;
        for (size_t i = 0; i < *n; i++) {
                if (strncmp(env[i], entry, name) == 0) {
                        free(env[i]);
                        env[i] = xstrdup(entry);
                        return;
                }
        }
        env[(*n)++] = xstrdup(entry);
}

char **proc_env_new(const char *const *extra)
{
        size_t most = 3;
        for (char **e = environ; e && *e; e++)
                most++;
        for (const char *const *e = extra; e && *e; e++)
                most++;
        char **env = xcalloc(most, sizeof *env);
        size_t n = 0;
        env_put(env, &n, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        env_put(env, &n, "HOME=/");
        for (char **e = environ; e && *e; e++)
                if (inherited(*e))
                        env_put(env, &n, *e);
        for (const char *const *e = extra; e && *e; e++)
                env_put(env, &n, *e);
        return env;
}

void proc_env_free(char **env)
{
        for (char **e = env; e && *e; e++) {
                explicit_bzero(*e, strlen(*e));
                free(*e);
        }
        free(env);
}

static void close_from(int first, int keep_a, int keep_b)
{
        int low = MIN(keep_a, keep_b), high = MAX(keep_a, keep_b);
        int from = first;
        const int keep[] = { low, high };
        for (size_t i = 0; i < 2; i++) {
                if (keep[i] < from)
                        continue;
                if (keep[i] > from)
                        (void)syscall(SYS_close_range, (unsigned)from, (unsigned)keep[i] - 1, 0);
                from = keep[i] + 1;
        }
        if (syscall(SYS_close_range, (unsigned)from, ~0U, 0) < 0)
                for (int fd = from; fd < 1024; fd++) /* kernels before 5.9 */
                        close(fd);
}

static void default_signals(void)
{
        for (int s = 1; s < NSIG; s++)
                if (s != SIGKILL && s != SIGSTOP)
                        (void)signal(s, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Moves fd above 2, so that the three dup2() below cannot step on each other. */
static int above_stdio(int fd)
{
        return fd > 2 || fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

void proc_child(const ChildSetup *c)
{
        int why = 0;
        int errno_fd = above_stdio(c->errno_fd);
        int in = above_stdio(c->in), out = above_stdio(c->out), err = above_stdio(c->err);
        if (c->new_session)
                (void)setsid();
        else if (c->new_group)
                (void)setpgid(0, 0);
        default_signals();
        if (c->die_with_us) {
                (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
                if (getppid() != c->parent)
                        _exit(127);
        }
        if ((in >= 0 && dup2(in, 0) < 0) || (out >= 0 && dup2(out, 1) < 0) ||
            (err >= 0 && dup2(err, 2) < 0)) {
                why = errno;
        } else if (c->cwd && chdir(c->cwd) < 0) {
                why = -errno; /* negative: it was the directory */
        } else {
                if (c->keep_fd >= 0)
                        (void)fcntl(c->keep_fd, F_SETFD, 0);
                close_from(3, errno_fd, c->keep_fd);
                execve(c->path, c->argv, c->env);
                why = errno;
        }
        ssize_t ignored = write(errno_fd, &why, sizeof why);
        (void)ignored;
        _exit(127);
}

int proc_child_errno(int errno_fd)
{
        int why = 0;
        ssize_t n;
        do
                n = read(errno_fd, &why, sizeof why);
        while (n < 0 && errno == EINTR);
        return n == (ssize_t)sizeof why ? why : 0;
}

bool proc_cannot_start(Err *err, const char *name, const char *cwd, int why)
{
        AUTO_FREE char *clean = text_clean_str(name);
        if (why < 0) {
                AUTO_FREE char *dir = text_clean_str(cwd);
                return err_set_errno(err, -why, "starting %s in directory %s", clean, dir);
        }
        if (why == ENOENT || why == ENOTDIR) {
                err_set(err, ERR_COMMAND, "%s: command not found", clean);
                err->exit_status = 127;
                return err_hint(err, "install it, or put its directory into PATH");
        }
        err_set(err, ERR_COMMAND, "%s: cannot be executed: %s", clean, strerror(why));
        err->exit_status = 126;
        return false;
}

char *proc_which(const char *name)
{
        if (strchr(name, '/'))
                return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
        if (!*name)
                return NULL;
        const char *path = getenv("PATH");
        if (!path || !*path)
                path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        while (path) {
                const char *end = strchrnul(path, ':');
                AUTO_FREE char *dir = xstrndup(path, (size_t)(end - path));
                AUTO_FREE char *full = xasprintf("%s/%s", *dir ? dir : ".", name);
                struct stat st;
                if (access(full, X_OK) == 0 && stat(full, &st) == 0 && S_ISREG(st.st_mode))
                        return xstrdup(full);
                path = *end ? end + 1 : NULL;
        }
        return NULL;
}
