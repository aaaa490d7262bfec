/* The floor: a relay of raw TCP, pairs in the order of arrival, one read and one send a turn. `floor PORT` */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int partner[1 << 20];

int main(int argc, char **argv) {
    int one = 1, waiting = -1, listener = socket(AF_INET, SOCK_STREAM, 0), poller = epoll_create1(0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[argc - 1]))};
    struct epoll_event ready[512], watch = {.events = EPOLLIN};
    struct rlimit limit;
    static char data[65536];
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) return 1;
    watch.data.fd = listener;
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &watch);
    for (;;) {
        int n = epoll_wait(poller, ready, 512, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) {
                int new = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (new < 0) continue;
                if (waiting < 0) { waiting = new; continue; }
                partner[new] = waiting;
                partner[waiting] = new;
                for (int k = 0; k < 2; k++) {
                    watch.data.fd = k ? new : waiting;
                    epoll_ctl(poller, EPOLL_CTL_ADD, watch.data.fd, &watch);
                }
                waiting = -1;
                continue;
            }
            ssize_t got = recv(fd, data, sizeof data, 0);
            if (got > 0) send(partner[fd], data, (size_t)got, MSG_NOSIGNAL);
            else if (got == 0) { epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL); shutdown(partner[fd], SHUT_WR); }
        }
    }
}
