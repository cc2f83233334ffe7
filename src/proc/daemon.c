/* daemon.c: children that outlive us, and children that borrow the terminal. */
#include "proc/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

extern char **environ;

/* The middle process: starts the daemon in a session of its own, tells its pid, goes. */
NORETURN static void middle(ChildSetup *setup, int pid_fd)
{
        (void)setsid();
        pid_t pid = fork();
        if (pid == 0)
                proc_child(setup);
        if (pid < 0) {
                int why = errno;
                ssize_t ignored = write(setup->errno_fd, &why, sizeof why);
                (void)ignored;
                _exit(1);
        }
        ssize_t told = write(pid_fd, &pid, sizeof pid);
        _exit(told == (ssize_t)sizeof pid ? 0 : 1);
}

bool proc_daemon(const Argv *argv, const char *log_path, int keep_fd, pid_t *ret_pid, Err *err)
{
        AUTO_FREE char *path = proc_which(argv->v[0]);
        if (!path)
                return proc_cannot_start(err, argv->v[0], NULL, ENOENT);
        AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        AUTO_FD int log =
                open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (null < 0 || log < 0)
                return err_set_errno(err, errno, "opening %s", log < 0 ? log_path : "/dev/null");
        int why[2], pids[2];
        if (pipe2(why, O_CLOEXEC) < 0)
                return err_set_errno(err, errno, "making a pipe");
        AUTO_FD int why_in = why[0];
        if (pipe2(pids, O_CLOEXEC) < 0) {
                close(why[1]);
                return err_set_errno(err, errno, "making a pipe");
        }
        AUTO_FD int pid_in = pids[0];
        ChildSetup setup = {
                .in = null,
                .out = log,
                .err = log,
                .keep_fd = keep_fd,
                .errno_fd = why[1],
                .new_session = true,
                .argv = argv->v,
                .env = environ,
                .path = path,
        };
        pid_t pid = fork();
        if (pid == 0)
                middle(&setup, pids[1]);
        int fork_errno = errno;
        close(why[1]);
        close(pids[1]);
        if (pid < 0)
                return err_set_errno(err, fork_errno, "fork for %s", argv->v[0]);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        int failed = proc_child_errno(why_in);
        if (failed)
                return proc_cannot_start(err, argv->v[0], NULL, failed);
        pid_t daemon = proc_child_errno(pid_in); /* the same shape: one int */
        if (daemon <= 0)
                return err_set(err, ERR_SYSTEM, "%s did not start", argv->v[0]);
        *ret_pid = daemon;
        return true;
}

bool proc_starttime(pid_t pid, unsigned long long *ret)
{
        char path[40], text[1024];
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
        if (n <= 0)
                return false;
        text[n] = '\0';
        /* The second field is the program's name in parentheses and may hold anything. */
        const char *p = strrchr(text, ')');
        for (int field = 2; p && field < 22; field++) {
                p = strchr(p, ' ');
                if (p)
                        p++;
        }
        if (!p)
                return false;
        char *end = NULL;
        *ret = strtoull(p, &end, 10);
        return end != p;
}

bool proc_foreground(const Argv *argv, const char *cwd, int *ret_status, Err *err)
{
        AUTO_FREE char *path = proc_which(argv->v[0]);
        if (!path)
                return proc_cannot_start(err, argv->v[0], cwd, ENOENT);
        int why[2];
        if (pipe2(why, O_CLOEXEC) < 0)
                return err_set_errno(err, errno, "making a pipe");
        AUTO_FD int why_in = why[0];
        char **env = proc_env_new(NULL);
        ChildSetup setup = {
                .in = -1,
                .out = -1,
                .err = -1,
                .keep_fd = -1,
                .errno_fd = why[1],
                .cwd = cwd,
                .new_group = true,
                .argv = argv->v,
                .env = env,
                .path = path,
        };
        bool tty = isatty(STDIN_FILENO);
        struct termios saved;
        if (tty && tcgetattr(STDIN_FILENO, &saved) < 0)
                tty = false;
        sigset_t ttou, before; /* giving the terminal away sends us SIGTTOU */
        sigemptyset(&ttou);
        sigaddset(&ttou, SIGTTOU);
        sigaddset(&ttou, SIGINT);
        sigaddset(&ttou, SIGQUIT);
        pthread_sigmask(SIG_BLOCK, &ttou, &before);
        pid_t pid = fork();
        if (pid == 0) {
                (void)setpgid(0, 0);
                if (tty)
                        (void)tcsetpgrp(STDIN_FILENO, getpid());
                proc_child(&setup);
        }
        int fork_errno = errno;
        close(why[1]);
        proc_env_free(env);
        if (pid < 0) {
                pthread_sigmask(SIG_SETMASK, &before, NULL);
                return err_set_errno(err, fork_errno, "fork for %s", argv->v[0]);
        }
        (void)setpgid(pid, pid);
        if (tty)
                (void)tcsetpgrp(STDIN_FILENO, pid);
        int failed = proc_child_errno(why_in);
        int status = 0;
        for (;;) {
                pid_t got = waitpid(pid, &status, WUNTRACED);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got == pid && WIFSTOPPED(status)) { /* ^Z has nowhere to go */
                        kill(-pid, SIGCONT);
                        continue;
                }
                break;
        }
        if (tty) {
                (void)tcsetpgrp(STDIN_FILENO, getpgrp());
                (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (failed)
                return proc_cannot_start(err, argv->v[0], cwd, failed);
        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return true;
}
