"""The board Engine: pools, matching, overlap, budgets, relay."""

from grafana.parts import HERE, RATE, Board, Panel, Row, quantiles, rate, total

MODE = ', mode=~"$mode"'


def per(one: str, other: str) -> str:
    """The quotient of two counters' rates."""
    return f"{rate(one)} / {rate(other)}"


BOARD = Board(
    "serendip-engine",
    "Serendip: Engine",
    "Pools, matching, overlap, budgets, relay.",
    modes=True,
    rows=(
        Row(
            "Waiting room",
            (
                Panel("Waiting by mode", "Tickets that somebody can meet. Spy mode counts both queues.", "short",
                      ((total("serendip_waiting", "mode", MODE), "{{mode}}"),), stacked=True),
                Panel("Waiting by language", "The ten fullest. A language that only grows has nobody to meet.", "short",
                      ((f"topk(10, {total('serendip_waiting', 'language', MODE)})", "{{language}}"),), stacked=True),
                Panel("What became of tickets", "`deduplicated`: asked anew while waiting; `lost`: the connection did not come back.", "cps",
                      ((rate("serendip_tickets_total", "outcome"), "{{outcome}}"),)),
            ),
        ),
        Row(
            "Matching",
            (
                Panel("Matches by threshold", "`good`: the shared interests weigh half of what was asked; `any`: some; `anyone`: none needed.", "cps",
                      ((rate("serendip_matches_total", "rule"), "{{rule}}"),), stacked=True),
                Panel("Interests in common", "Mean number that a pair shares.", "short",
                      ((f"sum(rate(serendip_match_common_interests_sum{{{HERE}}}[{RATE}])) / sum(rate(serendip_match_common_interests_count{{{HERE}}}[{RATE}]))", "mean"),)),
                Panel("Pairs with nothing in common", "Share of the pairs that share no interest.", "percentunit",
                      ((f'sum(rate(serendip_match_common_interests_bucket{{{HERE}, le="0.0"}}[{RATE}])) / sum(rate(serendip_match_common_interests_count{{{HERE}}}[{RATE}]))', "nothing"),),
                      ((0.5, "orange"), (0.9, "red"))),
                Panel("Work of a search", "Index entries and waiting tickets looked at, a ticket submitted.", "short",
                      ((per("serendip_matcher_postings_total", "serendip_tickets_total"), "entries"),
                       (per("serendip_matcher_candidates_total", "serendip_tickets_total"), "candidates"))),
                Panel("Searches that the budget ended", "They take the best found so far. More than one in ten costs people better partners.", "percentunit",
                      ((per("serendip_matcher_cut_total", "serendip_tickets_total"), "cut"),),
                      ((0.1, "orange"), (0.5, "red"))),
                Panel("Waiting room's memory", "Tickets, lists and tables; the interests that somebody waits with beside it.", "bytes",
                      ((total("serendip_matcher_memory_bytes"), "memory"),)),
            ),
        ),
        Row(
            "Relay",
            (
                Panel("Messages", "Relayed a second.", "cps", ((rate("serendip_messages_total"), "messages"), (rate("serendip_typing_total"), "typing"),
                                                              (rate("serendip_signals_total"), "signals"))),
                Panel("Sends a message", "Below one: messages share a send. Far above one: connections that come and go.", "short",
                      ((per("serendip_sends_total", "serendip_messages_total"), "sends"),)),
                Panel("Sockets a turn", "Ready sockets found by one turn of the reactor. Hundreds: the core is saturated.", "short",
                      ((per("serendip_ready_sockets_total", "serendip_turns_total"), "sockets"),), ((256, "orange"), (500, "red"))),
                Panel("Frames decided in Python", "Share of the frames that left the compiled path. Chat lines in another spelling than ours do.", "percentunit",
                      ((per("serendip_decisions_total", "serendip_frames_total"), "share"),)),
                Panel("Back-pressure", "Sockets that took no more, clients not read for a second.", "cps",
                      ((rate("serendip_backpressure_total", "event"), "{{event}}"),)),
                Panel("How long a turn holds the loop", "Everybody else waits for that long.", "s", quantiles("serendip_turn_seconds", of=(0.5, 0.99)),
                      ((0.025, "orange"), (0.1, "red"))),
            ),
        ),
        Row(
            "Memory of chats",
            (
                Panel("Rings' memory", "Last messages of all chats, and the bound (chat.memory).", "bytes",
                      ((total("serendip_ring_bytes"), "used"), (total("serendip_ring_limit_bytes"), "bound"))),
                Panel("Given up for lack of room", "`rings`: of ended chats, emptied early: a save fails; `messages`: of live chats: a resume may end the chat.", "cps",
                      ((rate("serendip_ring_dropped_total", "what"), "{{what}}"),)),
                Panel("Rings", "Chats whose last messages are held, ended ones included.", "short", ((total("serendip_rings"), "rings"),)),
            ),
        ),
    ),
)  # fmt: skip
