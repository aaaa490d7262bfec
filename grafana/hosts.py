"""The board Hosts: the processes of a host, what passes between them, and the hub in which all wait."""

from grafana.parts import HERE, RATE, Board, Panel, Row, quantiles, rate, total

WORKERS = ', process=~"worker.*|server"'


def moves(results: str) -> str:
    """The rate of moves with these results."""
    return rate("serendip_migrations_total", more=f', result=~"{results}"')


def matches(result: str) -> str:
    """The rate of matches with this result."""
    return rate("serendip_hub_matches_total", more=f', result="{result}"')


BOARD = Board(
    "serendip-hosts",
    "Serendip: Hosts",
    "The processes of a host, what passes between them, and the hub in which all wait.",
    rows=(
        Row(
            "Who is there",
            (
                Panel("Processes", "0: it did not answer the scrape within half a second, is dead or stands still. One process has no others beside it.", "short",
                      ((f"min by (process) (serendip_process_up{{{HERE}}})", "{{process}}"),), ((1, "green"),),
                      base="red", state=True, words=(("0", "silent"), ("1", "up")), empty="nobody asks", width=12, height=6),
                Panel("Deaths in an hour", "Processes that died and were started anew: which, and why. `ended`: by themselves, or killed from outside; `hung`: they said nothing; `link`: a link broke.", "short",
                      ((f"sum by (process) (increase(serendip_deaths_total{{{HERE}}}[1h]))", "{{process}}"),
                       (f"sum by (why) (increase(serendip_deaths_total{{{HERE}}}[1h]))", "{{why}}")), ((1, "red"),), width=6, height=6),
                Panel("Since the start", "Age of each process. A step to nought was a restart.", "s",
                      ((f"time() - min by (process) (serendip_process_start_time_seconds{{{HERE}}})", "{{process}}"),), width=6, height=6),
            ),
        ),
        Row(
            "People and load",
            (
                Panel("People by process", "Who is connected, by the worker that has them; at the frontend: programs of Omegle's protocol.", "short",
                      ((total("serendip_people", "process"), "{{process}}"),), stacked=True),
                Panel("Fullest beside mean", "People of the fullest worker by the mean of all. Far above one for minutes: one was started anew and fills up.", "short",
                      ((f"max(serendip_people{{{HERE}{WORKERS}}}) / (avg(serendip_people{{{HERE}{WORKERS}}}) > 0) or vector(1)", "fullest / mean"),), ((1.5, "orange"),)),
                Panel("CPU by process", "Cores used. Each is one thread: at 1 it is full. A hub that is full bounds all workers.", "short",
                      ((rate("serendip_process_cpu_seconds_total", "process"), "{{process}}"),), ((0.8, "orange"), (0.95, "red"))),
                Panel("Waits for a core by process", "Share of the time in which a process was ready to run and had no core. High: the machine is short of CPU, not the process slow.", "percentunit",
                      ((rate("serendip_cpu_wait_seconds_total", "process"), "{{process}}"),), ((0.1, "orange"), (0.25, "red"))),
                Panel("Memory by process", "Resident; what they share is counted with each.", "bytes", ((total("serendip_process_resident_memory_bytes", "process"), "{{process}}"),)),
                Panel("Loop lag by process, p99", "How late a loop runs a timer. One alone: something blocks it; all: the machine is short of cores.", "s",
                      ((f"histogram_quantile(0.99, sum by (process, le) (rate(serendip_loop_lag_seconds_bucket{{{HERE}}}[{RATE}])))", "{{process}}"),),
                      ((0.1, "orange"), (0.5, "red"))),
                Panel("Descriptors by process", "Share of the limit, which each has for itself.", "percentunit",
                      ((f"max by (process) (serendip_process_open_fds{{{HERE}}} / serendip_process_max_fds{{{HERE}}})", "{{process}}"),), ((0.8, "orange"), (0.95, "red"))),
            ),
        ),
        Row(
            "Moves",
            (
                Panel("Moves by reason", "People who went to another process: to meet or to resume there, or for an upgrade. Each counts where they arrive.", "cps",
                      ((rate("serendip_migrations_total", "why, way", ', result="taken"'), "{{why}} by {{way}}"),)),
                Panel("Moves that did not succeed", "Share. They go on where they were; more than one in a hundred is an alert.", "percentunit",
                      ((f'{moves("back|refused")} / ({moves("taken|back|refused")} > 0) or vector(0)', "back or refused"),), ((0.01, "red"),)),
                Panel("Out of service, p99", "How long a move keeps a person from being served; nought: nobody moved. Two milliseconds are what 99 of 100 are to stay under.", "s",
                      ((f"(histogram_quantile(0.99, sum by (why, way, le) (rate(serendip_migration_seconds_bucket{{{HERE}}}[{RATE}]))) >= 0) or vector(0)", "{{why}} by {{way}}"),),
                      ((0.002, "orange"), (0.1, "red"))),
            ),
        ),
        Row(
            "Hub",
            (
                Panel("Answer", "From a ticket's way to the hub to its first word, as the workers see it. Above 50 ms the hub, or the machine, is full.", "s",
                      quantiles("serendip_hub_answer_seconds"), ((0.005, "orange"), (0.05, "red")), width=6),
                Panel("Tickets", "People who wait in the hub, and matches on their way that nobody reported yet. A hub that was started anew has them all again within a second.", "short",
                      ((total("serendip_hub_tickets"), "tickets"), (total("serendip_hub_pending"), "matches on their way")), width=6),
                Panel("What became of matches", "`failed`: somebody was gone meanwhile; `lost`: nobody reported it, a process died. Who still waits waits on.", "cps",
                      ((rate("serendip_hub_matches_total", "result", ', result!="moved"'), "{{result}}"),), width=6),
                Panel("Moves a match", "People who had to go elsewhere, by matches made. With two workers one in two pairs is apart, with many nearly all.", "short",
                      ((f"{matches('moved')} / ({matches('made')} > 0) or vector(0)", "moves"),), width=6),
            ),
        ),
        Row(
            "Links",
            (
                Panel("Bytes that wait at a link", "For a process that does not read. All but nought that lasts is a process that hangs.", "bytes",
                      ((total("serendip_ipc_link_bytes", "process"), "for {{process}}"),), ((4_194_304, "red"),)),
                Panel("HTTP connections lost", "Closed, since more than 4,096 waited at a worker for a frontend.", "cps", ((rate("serendip_http_lost_total"), "lost"),), ((0.001, "red"),)),
                Panel("Not understood", "What one process said and another one's release does not know. Nought, but while two releases run.", "cps",
                      ((rate("serendip_ipc_link_unknown_total"), "messages"),), ((0.001, "orange"),)),
            ),
        ),
        Row(
            "Several hosts",
            (
                Panel("NATS", "Whether each host has its connection. Without one a host serves its own people, and says so in /readyz.", "short",
                      ((f"min by (instance) (serendip_nats_up{{{HERE}}})", "{{instance}}"),), ((1, "green"),),
                      base="red", state=True, words=(("0", "alone"), ("1", "connected")), empty="one host", width=6),
                Panel("Others that a host hears", "By version. Each hears all but itself; one more for seconds: an upgrade.", "short",
                      ((f"sum by (instance, version) (serendip_members{{{HERE}}})", "{{instance}}, version {{version}}"),), empty="one host", width=6),
                Panel("Who has the waiting room", "One of all hosts of a cluster. None, or two, for a second or two: it goes from one to another.", "short",
                      ((f"max by (instance) (serendip_hub_owner{{{HERE}}})", "{{instance}}"),), empty="one host", width=6),
                Panel("Hosts with another room", "They say its rows in another version: their people do not meet the others'. Nought, but while two releases run.", "short",
                      ((f"max by (instance) (serendip_members_apart{{{HERE}}})", "{{instance}}"),), ((1, "orange"),), empty="one host", width=6),
                Panel("Messages about the room", "That hosts send each other by NATS: a thousand a second to each at most.", "cps",
                      ((rate("serendip_cluster_batches_total", "way"), "{{way}}"),), empty="one host", width=6),
                Panel("Bytes about the room", "Before they are sealed.", "Bps", ((rate("serendip_cluster_batch_bytes_total", "way"), "{{way}}"),), empty="one host", width=6),
                Panel("Lost, not heard, handed on", "`lost`: something was lost on its way, and who waits was handed in again; `stale`: it came late or twice; `moved`: another host has the room from now on.", "cps",
                      ((rate("serendip_cluster_gaps_total"), "lost"), (rate("serendip_cluster_unreadable_total", "why"), "{{why}}"),
                       (rate("serendip_hub_owners_changed_total"), "moved")), ((0.001, "orange"),), empty="one host"),
                Panel("Clocks", "How far another host's clock is from this one's. Beyond 30 s it is not believed at the cluster port.", "s",
                      ((f"max by (instance) (serendip_members_clock_seconds{{{HERE}}})", "{{instance}}"),), ((5, "orange"), (30, "red")), empty="one host", width=6),
                Panel("Not believed, not sent", "`seal`: another service on this NATS, or another secret; `unsent`: NATS was away.", "cps",
                      ((rate("serendip_nats_dropped_total", "why"), "{{why}}"), (rate("serendip_nats_connects_total"), "connections made")), ((0.001, "orange"),), empty="one host", width=6),
                Panel("Not served at the cluster port", "`mac`: another secret; `time`: a clock; `kind`: another version; `slow`, `size`, `full`: somebody who is no host of yours.", "cps",
                      ((rate("serendip_cluster_refused_total", "why"), "{{why}}"),), ((0.001, "orange"),), empty="one host"),
                Panel("HTTP that another host answers", "Omegle ids, pictures, college checks. `away` that lasts: hosts hear each other and do not reach each other's cluster port.", "reqps",
                      ((rate("serendip_http_forwarded_total", "result"), "{{result}}"),), empty="one host"),
                Panel("Passed on now", "Most are held polls of Omegle's protocol: 30 KB each.", "short",
                      ((f"sum by (instance) (serendip_http_passing{{{HERE}}})", "{{instance}}"),), empty="one host"),
                Panel("Keys that are missing", "Of epochs: another host made them and did not tell. That of the next month is wanted a day before it begins, so that there is a day to mend it.", "short",
                      ((f"max by (instance) (serendip_epoch_keys_missing{{{HERE}}})", "{{instance}}"),), ((1, "red"),), empty="one host"),
            ),
        ),
        Row(
            "Tunnels",
            (
                Panel("Through another host", "People connected here who talk at another host, and those of other hosts who talk here.", "short",
                      ((total("serendip_tunnels"), "at another host"), (total("serendip_visitors"), "from other hosts")), empty="one host", width=6),
                Panel("Bytes passed on", "By hosts for each other, both ways.", "Bps",
                      ((rate("serendip_tunnel_bytes_total"), "bytes"), (rate("serendip_tunnel_reads_total"), "reads")), empty="one host", width=6),
                Panel("How they end", "`returned`: back at their own host. `lost`: the other host, or the way to it, was gone; they were told. `failed`: they had to connect anew.", "cps",
                      ((rate("serendip_tunnels_ended_total", "why"), "{{why}}"),
                       (rate("serendip_visitor_returns_total", "result", ', result!="sent"'), "visitors: {{result}}")), empty="one host", width=6),
                Panel("Way back, p99", "How long who goes back is out of service; nought: nobody did.", "s",
                      ((f"(histogram_quantile(0.99, sum by (le) (rate(serendip_tunnel_return_seconds_bucket{{{HERE}}}[{RATE}]))) >= 0) or vector(0)", "p99"),),
                      ((0.005, "orange"), (0.1, "red")), width=6),
                Panel("People in doubt", "The other host did not say that it has them: they are here, and it is asked to forget them (`asked`). `unanswered`: it was not heard for 15 s.", "cps",
                      ((rate("serendip_migrations_doubtful_total", "what"), "{{what}}"),), ((0.001, "orange"),), empty="one host"),
                Panel("Sought at other hosts", "Sessions of people who came back to another host than theirs. `full`: so many at once that one was told no.", "cps",
                      ((rate("serendip_session_lookups_total", "result"), "{{result}}"),), empty="one host"),
                Panel("Told to all hosts", "Ages, reports that count, video that is off, and that bans changed. `lost`: NATS was away for too long.", "cps",
                      ((rate("serendip_broadcasts_total", "result"), "{{result}}"),), empty="one host"),
            ),
        ),
    ),
)  # fmt: skip
