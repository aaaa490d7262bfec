"""The board Service: is it well, and what do people feel?"""

from grafana.parts import HERE, RATE, Board, Panel, Row, quantiles, rate, total

MODE = ', mode=~"$mode"'

BOARD = Board(
    "serendip-service",
    "Serendip: Service",
    "Is it well, and what do people feel?",
    modes=True,
    rows=(
        Row(
            "Now",
            (
                Panel("People connected", "Open WebSocket connections. A sudden drop is a network or a restart.", "short",
                      ((total("serendip_connections"), "people"),), single=True, width=4, height=5),
                Panel("In a chat", "People who chat and are connected; twice the number of chats.", "short",
                      ((total("serendip_sessions", more=', state="chatting", connection="here"'), "people"),), single=True, width=4, height=5),
                Panel("Waiting", "People who wait for a partner and are connected.", "short",
                      ((total("serendip_sessions", more=', state="waiting", connection="here"'), "people"),), single=True, width=4, height=5),
                Panel("Wait, p90", "Nine of ten are matched within this time. Above 10 s people are matched with anyone; above 20 s they give up.", "s",
                      ((quantiles("serendip_match_wait_seconds", MODE, of=(0.9,))[0][0], "p90"),), ((10, "orange"), (20, "red")), single=True, width=4, height=5),
                Panel("Message, p99", "Time inside the server; the network is not in it. People notice a tenth of a second.", "s",
                      ((quantiles("serendip_relay_seconds", of=(0.99,))[0][0], "p99"),), ((0.025, "orange"), (0.1, "red")), single=True, width=4, height=5),
                Panel("Up", "Instances that answer the scrape.", "short", (('sum(up{job="serendip", instance=~"$instance"})', "instances"),),
                      single=True, width=4, height=5),
            ),
        ),
        Row(
            "People",
            (
                Panel("Who is here", "Sessions with a connection by what they do, and those away who may come back.", "short",
                      ((total("serendip_sessions", "state", ', connection="here"'), "{{state}}"),
                       (total("serendip_sessions", more=', connection="away"'), "away")), stacked=True),
                Panel("Chats begun and ended", "Chats a second. Ended by `lost` are broken off by the network.", "cps",
                      ((rate("serendip_matches_total"), "begun"), (rate("serendip_chats_ended_total", "by"), "ended: {{by}}"))),
                Panel("How long a chat lasts", "Half of the chats are shorter than p50. Under five seconds: people skip, partners do not fit.", "s",
                      quantiles("serendip_chat_seconds", of=(0.5, 0.9))),
            ),
        ),
        Row(
            "What people feel",
            (
                Panel("Time to match", "From `find` to `matched`. The steps at 3 and 10 s are the thresholds falling.", "s",
                      quantiles("serendip_match_wait_seconds", MODE, of=(0.5, 0.9, 0.99)), ((10, "orange"), (20, "red"))),
                Panel("Message through the server", "From its socket being ready until it was sent to the partner.", "s",
                      quantiles("serendip_relay_seconds", of=(0.5, 0.99, 0.999)), ((0.025, "orange"), (0.1, "red"))),
                Panel("Searches that end without a partner", "Share of tickets that people gave up or lost. Above a third the pool is too thin, or too picky.",
                      "percentunit",
                      ((f'sum(rate(serendip_tickets_total{{{HERE}, outcome=~"cancelled|lost|expired"}}[{RATE}])) / '
                        f'sum(rate(serendip_tickets_total{{{HERE}, outcome="submitted"}}[{RATE}]))', "without"),),
                      ((0.33, "orange"), (0.66, "red"))),
            ),
        ),
        Row(
            "Trouble",
            (
                Panel("Errors told to clients", "By code. `slow` and `too_fast` are limits at work; `internal` is our fault.", "cps",
                      ((rate("serendip_errors_total", "code"), "{{code}}"),)),
                Panel("Connections that fail", "Request heads refused, by reason. `host` and `origin`: a setting is missing; `limited`: one network makes too many.",
                      "cps", ((rate("serendip_handshakes_total", "result", ', result!~"opened|http"'), "{{result}}"),
                              (rate("serendip_http_spoilt_total", "why"), "HTTP {{why}}"))),
                Panel("HTTP answers", "Pages and API by class of status. 5xx are our fault.", "reqps",
                      ((rate("serendip_http_responses_total", "status"), "{{status}}"),)),
            ),
        ),
    ),
)  # fmt: skip
