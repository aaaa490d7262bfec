"""The board Service: is it well, and what do people feel?"""

from grafana.parts import HERE, RATE, Alerts, Board, Panel, Row, quantiles, rate, total

MODE = ', mode=~"$mode"'

BOARD = Board(
    "serendip-service",
    "Serendip: Service",
    "Is it well, and what do people feel?",
    modes=True,
    rows=(
        Row(
            "Is it well?",
            (
                Panel("Up", "Whether every instance answers the scrape.", "short", ((f"min(up{{{HERE}}})", "up"),), ((1, "green"),),
                      base="red", state=True, words=(("0", "down"), ("1", "up")), empty="nobody asks", width=3, height=4),
                Panel("Alerts", "How many fire; the list below names them.", "short",
                      (('count(ALERTS{alertname=~"Serendip.+", severity=~"page|ticket", alertstate="firing"}) or vector(0)', "firing"),), ((1, "red"),),
                      state=True, words=(("0", "none"),), width=3, height=4),
                Panel("Turned away", "Share of those who come that are refused: by name, origin, limits. One in twenty is a wrong setting or a flood.", "percentunit",
                      ((f"sum(rate(serendip_handshakes_total{{{HERE}, result!~\"opened|http\"}}[{RATE}])) / (sum(rate(serendip_handshakes_total{{{HERE}}}[{RATE}])) > 0) or vector(0)",
                        "refused"),), ((0.05, "orange"), (0.2, "red")), state=True, width=3, height=4),
                Panel("Time to match, p90", "Nine of ten are matched within this time. Above 10 s people are matched with anyone; above 20 s they give up.", "s",
                      ((quantiles("serendip_match_wait_seconds", MODE, of=(0.9,))[0][0], "p90"),), ((13, "orange"), (20, "red")),
                      state=True, empty="no match", width=3, height=4),
                Panel("Message, p99", "Time inside the server; the network is not in it. People notice a tenth of a second.", "s",
                      ((quantiles("serendip_relay_seconds", of=(0.99,))[0][0], "p99"),), ((0.025, "orange"), (0.1, "red")),
                      state=True, empty="no lines", width=3, height=4),
                Panel("Database", "Whether it takes records, at every instance.", "short", ((f"min(serendip_store_up{{{HERE}}})", "store"),), ((1, "green"),),
                      base="red", state=True, words=(("0", "away"), ("1", "well")), empty="none", width=3, height=4),
                Panel("Room on the disk", "Share that is left where the data folder lies, of the fullest. At nought nothing is kept any more.", "percentunit",
                      ((f"min(serendip_disk_free_bytes{{{HERE}}} / serendip_disk_size_bytes{{{HERE}}})", "free"),), ((0.1, "orange"), (0.2, "green")),
                      base="red", state=True, width=3, height=4),
                Panel("Faults in 10 min", "Errors that are ours: `internal`, and HTTP answers 5xx. None is the norm; more than five is an alert.", "short",
                      ((f'sum(increase(serendip_errors_total{{{HERE}, code="internal"}}[10m])) + sum(increase(serendip_http_responses_total{{{HERE}, status="5xx"}}[10m]))',
                        "faults"),), ((1, "orange"), (5, "red")), state=True, width=3, height=4),
            ),
        ),
        Row(
            "Now",
            (
                Panel("People connected", "Open WebSocket connections. A sudden drop is a network or a restart.", "short",
                      ((total("serendip_connections"), "people"),), base="blue", single=True, width=4, height=6),
                Panel("In a chat", "People who chat and are connected; twice the number of chats.", "short",
                      ((total("serendip_sessions", more=', state="chatting", connection="here"'), "people"),), base="blue", single=True, width=4, height=6),
                Panel("Waiting", "People who wait for a partner and are connected. Many beside few chats: they do not fit each other.", "short",
                      ((total("serendip_sessions", more=', state="waiting", connection="here"'), "people"),), base="blue", single=True, width=4, height=6),
                Alerts("Alerts that fire", "Each has an entry in docs/operate/runbook.md under its name.", width=12, height=6),
            ),
        ),
        Row(
            "People",
            (
                Panel("Who is here", "Sessions with a connection by what they do, and those away who may come back.", "short",
                      ((total("serendip_sessions", "state", ', connection="here"'), "{{state}}"),
                       (total("serendip_sessions", more=', connection="away"'), "away")), stacked=True, width=6),
                Panel("Chats begun and ended", "Chats a second. Ended by `lost` are broken off by the network.", "cps",
                      ((rate("serendip_matches_total"), "begun"), (rate("serendip_chats_ended_total", "by"), "ended: {{by}}")), width=6),
                Panel("By which protocol", "WebSockets are ours; programs of Omegle's protocol poll.", "short",
                      ((total("serendip_connections"), "ours"), (total("serendip_omegle_clients"), "Omegle's"), (total("serendip_poll_clients"), "ours, by HTTP")), stacked=True, width=6),
                Panel("How long a chat lasts", "Half of the chats are shorter than p50. Under five seconds: people skip, partners do not fit.", "s",
                      quantiles("serendip_chat_seconds", of=(0.5, 0.9)), width=6),
            ),
        ),
        Row(
            "What people feel",
            (
                Panel("Time to match", "From `find` to `matched`. The steps at 3 and 10 s are the thresholds falling.", "s",
                      quantiles("serendip_match_wait_seconds", MODE, of=(0.5, 0.9, 0.99)), ((13, "orange"), (20, "red"))),
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
                      ((rate("serendip_errors_total", "code"), "{{code}}"),), width=6),
                Panel("Connections that fail", "Request heads refused, by reason. `host` and `origin`: a setting is missing; `limited`: one network makes too many.",
                      "cps", ((rate("serendip_handshakes_total", "result", ', result!~"opened|http"'), "{{result}}"),
                              (rate("serendip_http_spoilt_total", "why"), "HTTP {{why}}")), width=6),
                Panel("Records that wait", "For the database. Growing: it is slow or away; people chat on.", "short",
                      ((total("serendip_store_waiting"), "waiting"),), ((1_000, "orange"), (10_000, "red")), width=6),
                Panel("HTTP answers", "Pages and API by class of status. 5xx are our fault.", "reqps",
                      ((rate("serendip_http_responses_total", "status"), "{{status}}"),), width=6),
            ),
        ),
    ),
)  # fmt: skip
