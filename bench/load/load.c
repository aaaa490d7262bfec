/* A load generator for pair relays: people who find somebody, talk and leave, over WebSocket, from one thread on epoll.
 *
 * Rule: it believes nothing. Every text says who sent it and the how-many-th it is; a text from somebody else than the
 * partner, out of order, doubled, lost or changed is counted as an error.
 *
 *   load relay  -n CLIENTS -d DEPTH -s BYTES   pairs that answer each message with one, DEPTH on the way at once
 *   load chat   -n CLIENTS [-k]                find, match, a message each, close; -k: stay connected and find again
 *   load wait   -n CLIENTS                     connect, find nobody, wait until standard input ends
 *
 *   -p PORT  -P PID of the server, several with commas  -t SECONDS measured  -w SECONDS before  -c connects at once  -x FIRST number of a client
 *   -z MS that a client rests before it answers (relay): CLIENTS / 2 * DEPTH messages in so many ms, however long they take
 *   -i phases (relay): each line on standard input ends one and prints its figures, its end the run; each line has its beat, so who waited together
 *      for a server does not talk in step from then on
 *   -a lines that begin alike and have two long numbers, as of one who advertises; without it each has words of its own
 *   -r raw TCP without WebSocket (the floor)   -b the server pairs by arrival and takes no `find` (peers)
 *
 * Prints one JSON object a line: {"ready":…} where `wait` waits or those who rest have met, and the figures at the end;
 * `cpus` are the shares of a core that each process of the server used. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLOSED, CONNECTING, SHAKING, OPEN, TALKING };
enum { RELAY, CHAT, WAIT };
enum { PROCESSES = 16 };  // of one server
enum { READ = 256 * 1024, SOURCES = 200, STAMP = 20 };  // bytes of one read; 127.0.1.x addresses; of a message at the least

typedef struct {
    int fd, state, partner;
    uint32_t sent, got, came;    // messages of the present chat (relay) or since the start (chat); relay: the number that is next, how many came
    uint32_t from;               // chat: the first number from this client that nobody has got
    uint64_t early;              // chat: which of the 64 from there on were got already; relay: which of the 64 before `got` came
    int said, heard, done;       // of the present chat
    uint64_t *when;              // relay: the time of each message on the way; behind them, when each was due
    unsigned char *rest, *out;   // input that is not whole yet, output that the socket did not take
    int rest_size, out_size, out_room, wants;
} client;

static client *all;
static int count = 200, depth = 1, size = 64, mode, port = 8080, at_once = 64, raw, by_arrival, keep, alike, phases, first, poller, opened, opening, next;
static int *again, agains;                     // clients that connect anew
static double seconds = 2, before = 0.5, rest_ms;
static pid_t servers[PROCESSES];
static int served;
static uint64_t messages, chats, connects, errors, wrong_partner, wrong_order, wrong_text, doubled, lost, refused, cut, other;
static int measuring, ending;
static unsigned char input[READ + 70000], batch[1 << 20];
static int batch_size;
static char head[512];

static uint64_t now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static double cpu_of(pid_t process) {           // seconds, to the nanosecond
    clockid_t clock; struct timespec t;
    if (clock_getcpuclockid(process, &clock) || clock_gettime(clock, &t)) return 0;
    return t.tv_sec + t.tv_nsec / 1e9;
}
static double cpu(void) {                       // of all processes of the server
    double all_of_them = 0;
    for (int i = 0; i < served; i++) all_of_them += cpu_of(servers[i]);
    return all_of_them;
}
static void named(char *list) {                 // the processes, with commas
    for (char *word = strtok(list, ","); word && served < PROCESSES; word = strtok(NULL, ",")) servers[served++] = atoi(word);
}
static void fault(uint64_t *what) { if (!ending || mode == RELAY) { (*what)++; errors++; } }

// ---- latencies: 32 steps an octave of nanoseconds
static uint64_t steps[64 * 32], stepped, longest;
static void note(uint64_t ns) { if (ns > longest) longest = ns; int o = ns < 32 ? 0 : 58 - __builtin_clzll(ns); steps[o ? (o + 1) * 32 + (int)((ns >> o) & 31) : (int)ns]++; stepped++; }
static double quantile(double q) {
    uint64_t sum = 0, want = (uint64_t)(q * (double)stepped);
    for (int i = 0; i < 64 * 32; i++) { sum += steps[i]; if (sum > want) return (i < 64 ? i : (double)((uint64_t)(i % 32 + 32) << (i / 32 - 1)) / 2 * 2) / 1000.0; }
    return 0;
}

// ---- output: all answers to one read leave in one send
static void watch(client *c) {
    struct epoll_event e = {.events = EPOLLIN | (c->wants ? EPOLLOUT : 0), .data.u32 = (uint32_t)(c - all)};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
}
static void push(client *c, const unsigned char *data, int n) {
    ssize_t done = 0;
    if (!c->out_size) { done = send(c->fd, data, (size_t)n, MSG_NOSIGNAL); if (done < 0) { if (errno != EAGAIN) return; done = 0; } }
    if (done == n) return;
    if (c->out_size + n > c->out_room) { c->out_room = (c->out_size + n) * 2; c->out = realloc(c->out, (size_t)c->out_room); }
    memcpy(c->out + c->out_size, data + done, (size_t)(n - done)); c->out_size += n - (int)done;
    if (!c->wants) { c->wants = 1; watch(c); }
}
static void drain(client *c) {
    ssize_t done = send(c->fd, c->out, (size_t)c->out_size, MSG_NOSIGNAL);
    if (done <= 0) return;
    memmove(c->out, c->out + done, (size_t)(c->out_size - done)); c->out_size -= (int)done;
    if (!c->out_size) { c->wants = 0; watch(c); free(c->out); c->out = NULL; c->out_room = 0; }
}
static void flush(client *c) { if (batch_size) push(c, batch, batch_size); batch_size = 0; }
static void frame(client *c, int opcode, const char *text, int n) {
    if (batch_size + n + 16 > (int)sizeof batch) flush(c);
    unsigned char *b = batch + batch_size;
    if (raw) { memcpy(b, text, (size_t)n); batch_size += n; return; }
    static uint32_t mask = 0x9e3779b9; unsigned char *m; int h = 2;
    mask = mask * 1664525 + 1013904223;
    b[0] = (unsigned char)(0x80 | opcode);
    if (n < 126) b[1] = (unsigned char)(0x80 | n); else { b[1] = 0x80 | 126; b[2] = (unsigned char)(n >> 8); b[3] = (unsigned char)n; h = 4; }
    memcpy(b + h, &mask, 4); m = b + h; b += h + 4;
    for (int i = 0; i < n; i++) b[i] = (unsigned char)text[i] ^ m[i & 3];
    batch_size += h + 4 + n;
}

// ---- messages: "iiiiiiii nnnnnnnn word word…", `size` bytes; -a: "IIIIIIII SSSSSSSSSS the quick…", which begin alike and have two long numbers
// Sender and number are letters, and the words of each line are its own, so that a server which reads lines reads what strangers might write.
static const char *filler = "the quick brown fox jumps over the lazy dog and runs through the fields ";
static const char *words[64] = {
    "apple", "autumn", "bicycle", "bread", "bridge", "butter", "candle", "castle", "cello", "cheese", "cloud", "coffee", "copper", "corner", "desert",
    "engine", "evening", "feather", "forest", "garden", "glass", "guitar", "harbour", "honey", "island", "jacket", "kitchen", "ladder", "lemon",
    "library", "lunch", "marble", "meadow", "melody", "mirror", "morning", "mountain", "museum", "ocean", "orange", "painting", "paper", "pepper",
    "piano", "planet", "pocket", "puzzle", "rabbit", "river", "saddle", "salad", "silver", "station", "summer", "sunset", "theatre", "thunder", "ticket",
    "tomato", "tunnel", "valley", "violin", "window", "winter"};
static const char LETTERS[] = "bcdfghklmnprstvz";
static int letters(char *to, uint32_t value) {              // an odd factor: each value has letters of its own
    value *= 2654435761u;
    for (int i = 0; i < 8; i++, value >>= 4) to[i] = LETTERS[value & 15];
    return 8;
}
static uint32_t of_letters(const char *from) {
    uint32_t value = 0;
    for (int i = 7; i >= 0; i--) { const char *at = memchr(LETTERS, from[i], 16); value = value << 4 | (uint32_t)(at ? at - LETTERS : 0); }
    return value * 244002641u;                               // its inverse, modulo 2^32
}
static int text(char *to, int id, uint32_t number) {
    if (alike) {
        int n = sprintf(to, "%08d %010u ", id, number), f = (int)strlen(filler);
        for (; n < size; n++) to[n] = filler[(n + id) % f];
        return n;
    }
    uint32_t mixed = (uint32_t)id * 2654435761u ^ number;
    int n = letters(to, (uint32_t)id); to[n++] = ' ';
    n += letters(to + n, number); to[n++] = ' ';
    while (n < size) {
        mixed = mixed * 1664525 + 1013904223;
        const char *word = words[mixed >> 26];
        while (*word && n < size) to[n++] = *word++;
        if (n < size) to[n++] = ' ';
    }
    return n;
}
static int stamp(const char *line, int *id, unsigned *number) {
    if (alike) return sscanf(line, "%8d %10u", id, number) == 2;
    *id = (int)of_letters(line); *number = of_letters(line + 9);
    return 1;                                                // the text is compared whole
}
static void say(client *c, uint64_t t) {
    char line[70000]; int n = 0, id = (int)(c - all) + first;
    if (!raw) { memcpy(line, "{\"type\":\"message\",\"text\":\"", 26); n = 26; }
    n += text(line + n, id, c->sent);
    if (!raw) { line[n++] = '"'; line[n++] = '}'; }
    if (c->when) c->when[c->sent % (uint32_t)(depth + 2)] = c->when[c->sent % (uint32_t)(depth + 2) + (uint32_t)(depth + 2)] = t;
    c->sent++;
    frame(c, 1, line, n);
}
static void find(client *c) {
    char line[200]; int id = (int)(c - all) + first, n;
    if (by_arrival || raw) return;
    if (mode == WAIT) n = sprintf(line, "{\"type\":\"find\",\"interests\":[\"w%d\",\"chess%d\",\"music%d\"],\"strict\":true}", id, id, id);
    else if (mode == RELAY) n = sprintf(line, "{\"type\":\"find\",\"interests\":[\"room%d\"]}", id / 2);
    else n = sprintf(line, "{\"type\":\"find\",\"interests\":[\"load\"]}");
    frame(c, 1, line, n);
}

// ---- a client's life
static void drop(client *c) {
    if (c->fd >= 0) close(c->fd);
    if (c->state >= OPEN) opened--; else if (c->state) opening--;
    c->fd = -1; c->state = CLOSED; c->rest_size = c->out_size = c->out_room = c->wants = 0;
    free(c->rest); c->rest = NULL; free(c->out); c->out = NULL;
}
static void gone(client *c) {
    if (c->state == SHAKING || c->state == CONNECTING) { refused++; errors++; }
    else if (mode != CHAT || !c->done) { if (!(mode == CHAT && c->said && c->heard)) fault(&cut); }
    drop(c);
    if (mode == CHAT && !ending) again[agains++] = (int)(c - all);
}
// ---- rests, in the order of their ends: as all are as long, nearly each comes behind the others
static struct { uint64_t due; int who; } *resting;
static size_t rests, begun, through;
static void rest(client *c, uint64_t due) {
    size_t at = begun++;
    for (; at > through && resting[(at - 1) % rests].due > due; at--) resting[at % rests] = resting[(at - 1) % rests];
    resting[at % rests].due = due; resting[at % rests].who = (int)(c - all);
}
static void answer(client *c, uint64_t t, uint64_t was_due) {
    uint64_t due = (phases ? was_due : t) + (uint64_t)(rest_ms * 1e6);
    if (rest_ms > 0) rest(c, due > t ? due : t); else say(c, t);
}
static void rested(void) {
    for (; through < begun && resting[through % rests].due <= now(); through++) {
        client *c = all + resting[through % rests].who;
        if (ending || c->state != TALKING) continue;
        say(c, now()); c->when[(c->sent - 1) % (uint32_t)(depth + 2) + (uint32_t)(depth + 2)] = resting[through % rests].due; flush(c);
    }
}
static void matched(client *c, uint64_t t) {
    if (mode == WAIT) return;                               // a peer pairs everybody: they stay silent
    c->state = TALKING; c->said = 1; c->heard = c->done = 0; c->partner = -1;
    if (mode == RELAY) c->sent = c->got = c->came = 0, c->early = 0;
    say(c, t);
}
// What one sender says in two chats is read from two sockets: the later may be read first. Each number comes once, none stays away.
static void once(client *p, uint32_t number) {
    uint32_t ahead = number - p->from;
    if (ahead > 63 || p->early >> ahead & 1) { fault(&wrong_order); return; }
    for (p->early |= 1ull << ahead; p->early & 1; p->early >>= 1) p->from++;
}
// One stream is in order: a number that was passed over fills its gap later, and too late, or never; one that came before is doubled.
static int stands(client *c, uint32_t number) {
    if (number >= c->got) {
        uint32_t ahead = number - c->got + 1;
        c->early = (ahead > 63 ? 0 : c->early << ahead) | 1; c->got = number + 1;
    } else {
        uint32_t back = c->got - 1 - number;
        if (back > 63 || c->early >> back & 1) { fault(&doubled); return 0; }
        c->early |= 1ull << back; fault(&wrong_order);
    }
    c->came++;
    return 1;
}
static void heard(client *c, const char *line, int n, uint64_t t) {
    char want[70000]; int id, sender; unsigned number; client *p;
    if (n != size || !stamp(line, &id, &number) || id < first || id >= first + count) { fault(&wrong_text); return; }
    sender = id - first; p = all + sender;
    text(want, id, number);
    if (memcmp(line, want, (size_t)n)) { fault(&wrong_text); return; }
    if (c->partner < 0) { c->partner = sender; if (p->partner >= 0 && p->partner != (int)(c - all) && mode == RELAY) fault(&wrong_partner); }
    if (c->partner != sender || sender == (int)(c - all)) { fault(&wrong_partner); return; }
    messages++;
    if (mode == CHAT) {
        once(p, number);
        c->heard = c->done = 1;
        if (!p->done) chats++;                              // the first of the two to be done counts the chat
        if (keep) find(c);                                  // a find leaves the chat first
        else { unsigned char code[2] = {3, 232}; frame(c, 8, (char *)code, 2); }
        c->state = OPEN;
        return;
    }
    if (number >= p->sent) { fault(&wrong_text); return; }  // nobody said it
    if (!stands(c, number)) return;
    uint64_t *said = p->when + number % (uint32_t)(depth + 2);
    if (number > 0) { if (measuring) note(t - *said); if (!ending) answer(c, t, said[depth + 2]); }
}
static void told(client *c, const char *line, int n, uint64_t t) {
    const char *found = memmem(line, (size_t)n, "\"type\":\"", 8);
    if (found) {
        const char *kind = found + 8;
        if (!strncmp(kind, "message\"", 8)) {
            const char *begin = memmem(line, (size_t)n, "\"text\":\"", 8);
            if (!begin) { fault(&wrong_text); return; }
            begin += 8;
            heard(c, begin, (int)(line + n - 2 - begin), t);
            return;
        }
        if (!strncmp(kind, "matched\"", 8)) { matched(c, t); return; }
        if (!strncmp(kind, "waiting\"", 8)) { if (mode == WAIT) c->done = 1; return; }
        if (!strncmp(kind, "error\"", 6)) { if (!errors) fprintf(stderr, "load: %.*s\n", n, line); fault(&wrong_text); return; }
    }
    other++;
}
static void ready(client *c) {
    opening--; opened++; connects++; c->state = OPEN; c->done = 0; c->partner = -1;
    if (raw) matched(c, now()); else find(c);  // nobody tells of a match in raw TCP
}
static int consume(client *c, unsigned char *b, int n, uint64_t t) {
    int at = 0;
    if (c->state == SHAKING) {
        unsigned char *end = memmem(b, (size_t)n, "\r\n\r\n", 4);
        if (!end) return 0;
        if (memcmp(b, "HTTP/1.1 101", 12)) { if (!refused) fprintf(stderr, "load: %.*s\n", (int)(end - b), b); gone(c); return -1; }
        at = (int)(end - b) + 4;
        ready(c);
    }
    if (raw) { for (; n - at >= size; at += size) heard(c, (char *)b + at, size, t); return at; }
    while (n - at >= 2) {
        unsigned char *f = b + at; int opcode = f[0] & 15, h = 2, length = f[1] & 127;
        if (length == 126) { if (n - at < 4) break; length = f[2] << 8 | f[3]; h = 4; }
        if (length == 127 || n - at < h + length) { if (length == 127) { fault(&wrong_text); gone(c); return -1; } break; }
        at += h + length;
        if (opcode == 1) told(c, (char *)f + h, length, t);
        else if (opcode == 9) frame(c, 10, (char *)f + h, length);
        else if (opcode == 8) { if (!c->done) frame(c, 8, (char *)f + h, length > 2 ? 2 : length); flush(c); gone(c); return -1; }
    }
    return at;
}
static void readable(client *c) {
    int had = c->rest_size, used, left;
    if (c->state == CONNECTING) {
        int e = 0; socklen_t z = sizeof e; getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &z);
        if (e) { gone(c); return; }
    }
    if (had) memcpy(input, c->rest, (size_t)had);
    ssize_t got = recv(c->fd, input + had, READ - 1, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) { gone(c); return; }
    used = consume(c, input, had + (int)got, now());
    if (used < 0) { batch_size = 0; return; }
    flush(c);
    left = had + (int)got - used;
    if (left) { c->rest = realloc(c->rest, (size_t)left); memcpy(c->rest, input + used, (size_t)left); }
    else { free(c->rest); c->rest = NULL; }
    c->rest_size = left;
}
static void join(int i) {
    client *c = all + i; int one = 1; static unsigned turn;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}, from = {.sin_family = AF_INET};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK); from.sin_addr.s_addr = htonl(0x7f000102 + (turn++ + (unsigned)first / 977) % SOURCES);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) { perror("load: socket"); exit(2); }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(c->fd, (struct sockaddr *)&from, sizeof from)) { perror("load: bind"); exit(2); }
    opening++; c->state = SHAKING;
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) { gone(c); return; }
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e);
    if (raw) { ready(c); flush(c); } else push(c, (unsigned char *)head, (int)strlen(head));
}
static void turn(int ms) {
    static struct epoll_event found[1024]; int n = epoll_wait(poller, found, 1024, ms);
    for (int i = 0; i < n; i++) {
        client *c = all + found[i].data.u32;
        if (c->fd < 0) continue;
        if (found[i].events & EPOLLOUT && c->out_size) drain(c);
        if (found[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(c);
    }
    if (rest_ms > 0) rested();
    while (agains && opening < at_once && !ending) join(again[--agains]);
}
static void come(void) {                        // everybody connects, `at_once` at a time
    uint64_t end = now() + 30000000000ull; int all_there = 0;
    while (!all_there) {
        while (next < count && opening < at_once) join(next++);
        turn(10);
        all_there = next == count && !opening;
        if (all_there && mode == RELAY) for (int i = 0; i < count; i++) if (all[i].state != TALKING || all[i].partner < 0) all_there = 0;
        if (all_there && mode == WAIT) for (int i = 0; i < count; i++) if (!all[i].done && !by_arrival && !raw) all_there = 0;
        if (now() > end || refused > 100) { fprintf(stderr, "load: %d of %d came, not all were matched and heard\n", opened, count); exit(3); }
    }
}

// ---- phases: figures since the one before; faults since the start
static void phase(void) {
    static uint64_t since, before_; uint64_t t = now(); double took = since ? (double)(t - since) / 1e9 : 0;
    printf("{\"seconds\":%.4f,\"messages\":%lu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"longest_us\":%.1f,\"errors\":%lu,\"other\":%lu}\n",
           took, messages - before_, quantile(.5), quantile(.99), quantile(.999), (double)longest / 1e3, errors, other);
    fflush(stdout);
    since = t; before_ = messages; memset(steps, 0, sizeof steps); stepped = longest = 0;
}
static int phased(void) {                       // whether the input goes on
    struct pollfd in = {.fd = 0, .events = POLLIN}; char lines[256]; ssize_t n;
    if (poll(&in, 1, 0) <= 0) return 1;
    if ((n = read(0, lines, sizeof lines)) <= 0) return 0;
    for (ssize_t i = 0; i < n; i++) if (lines[i] == '\n') phase();
    return 1;
}

int main(int argc, char **argv) {
    int o; struct rlimit limit;
    if (argc < 2) return 2;
    mode = !strcmp(argv[1], "relay") ? RELAY : !strcmp(argv[1], "chat") ? CHAT : WAIT;
    optind = 2;
    while ((o = getopt(argc, argv, "n:d:s:p:P:t:w:c:x:z:airbk")) != -1) switch (o) {
        case 'n': count = atoi(optarg); break; case 'd': depth = atoi(optarg); break; case 's': size = atoi(optarg); break;
        case 'p': port = atoi(optarg); break; case 'P': named(optarg); break; case 't': seconds = atof(optarg); break;
        case 'w': before = atof(optarg); break; case 'c': at_once = atoi(optarg); break; case 'x': first = atoi(optarg); break;
        case 'z': rest_ms = atof(optarg); break;
        case 'a': alike = 1; break; case 'i': phases = 1; break; case 'r': raw = 1; break; case 'b': by_arrival = 1; break; case 'k': keep = 1; break; default: return 2; }
    if (size < STAMP || size > 60000) { fprintf(stderr, "load: -s is %d to 60000\n", STAMP); return 2; }
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &limit); limit.rlim_cur = limit.rlim_max; setrlimit(RLIMIT_NOFILE, &limit);
    poller = epoll_create1(0); all = calloc((size_t)count, sizeof *all); again = malloc(sizeof(int) * (size_t)count);
    rests = (size_t)count * (size_t)(depth + 1); resting = malloc(rests * sizeof *resting);
    for (int i = 0; i < count; i++) { all[i].fd = -1; all[i].partner = -1; if (mode == RELAY) all[i].when = calloc(2 * (size_t)depth + 4, 8); }
    sprintf(head, "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: c2VyZW5kaXAgYnkgbG9hZA==\r\nSec-WebSocket-Version: 13\r\n\r\n", port);
    uint64_t start = now(); double cpu0 = cpu();
    if (mode == CHAT) { for (int i = count - 1; i >= 0; i--) again[agains++] = i; } else come();
    double came = (double)(now() - start) / 1e9, came_cpu = cpu() - cpu0;
    if (mode == WAIT) {
        struct pollfd in = {.fd = 0, .events = POLLIN}; char byte;
        printf("{\"ready\":%d,\"connects_s\":%.0f,\"connect_us\":%.2f}\n", opened, count / came, came_cpu / count * 1e6); fflush(stdout);
        for (;;) { turn(100); if (poll(&in, 1, 0) > 0 && read(0, &byte, 1) <= 0) break; }
        printf("{\"open\":%d,\"errors\":%lu}\n", opened, errors);
        return errors != 0 || opened != count;
    }
    if (mode == RELAY && (rest_ms > 0 || phases)) { printf("{\"ready\":%d}\n", opened); fflush(stdout); }
    if (mode == RELAY) {                        // the lower number begins; where there are rests one after the other, so that no two pairs talk in step
        uint64_t t = now(), step = rest_ms > 0 ? (uint64_t)(rest_ms * 1e6 / ((double)count * depth / 2)) : 0;
        for (int k = 0; k < depth && step; k++) for (int i = 0; i < count; i++) if (i < all[i].partner) rest(all + i, t + step * (uint64_t)begun);
        for (int i = 0; i < count && !step; i++) if (i < all[i].partner) { for (int k = 0; k < depth; k++) say(all + i, now()); flush(all + i); }
    }
    uint64_t until = now() + (uint64_t)(before * 1e9);
    int patience = rest_ms > 0 ? 1 : 5; while (now() < until) turn(patience);  // who rests is not woken by a message
    measuring = 1;
    uint64_t m0 = messages, c0 = chats, k0 = connects, t0 = now(); double each[PROCESSES]; cpu0 = cpu();
    for (int i = 0; i < served; i++) each[i] = cpu_of(servers[i]);
    until = t0 + (uint64_t)(seconds * 1e9);
    while (phases ? phased() : now() < until) turn(patience);
    double took = (double)(now() - t0) / 1e9, used = cpu() - cpu0;
    for (int i = 0; i < served; i++) each[i] = cpu_of(servers[i]) - each[i];
    uint64_t m = messages - m0, c = chats - c0, k = connects - k0;
    measuring = 0; ending = 1; until = now() + 1000000000ull;
    if (mode == RELAY) {
        uint64_t sent = 0, got = 0;
        do { sent = got = 0; turn(5); for (int i = 0; i < count; i++) { sent += all[i].sent; got += all[i].came; } } while (got < sent && now() < until);
        if (got < sent) { lost = sent - got; errors += lost; }
    }
    printf("{\"seconds\":%.3f,\"messages\":%lu,\"messages_s\":%.0f,\"cpu_s_per_M\":%.4f,\"cpu\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,"
           "\"chats\":%lu,\"chats_s\":%.0f,\"chat_us\":%.2f,\"connects\":%lu,\"connect_us\":%.2f,"
           "\"errors\":%lu,\"wrong_partner\":%lu,\"wrong_order\":%lu,\"wrong_text\":%lu,\"doubled\":%lu,\"lost\":%lu,\"refused\":%lu,\"cut\":%lu,\"cpus\":[",
           took, m, (double)m / took, m ? used / (double)m * 1e6 : 0, used / took, quantile(.5), quantile(.99), quantile(.999),
           c, (double)c / took, c ? used / (double)c * 1e6 : 0, k, mode == RELAY ? came_cpu / count * 1e6 : 0,
           errors, wrong_partner, wrong_order, wrong_text, doubled, lost, refused, cut);
    for (int i = 0; i < served; i++) printf("%s%.4f", i ? "," : "", each[i] / took);
    printf("]}\n");
    return errors != 0;
}
