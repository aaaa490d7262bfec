"""The board Safety: what waits for a person, what was decided, how often it was wrong."""

from grafana.parts import HERE, Board, Panel, Row, quantiles, rate, total


def most(metric: str, by: str = "") -> str:
    """A number of the store, which every host tells alike."""
    return f"max by ({by}) ({metric}{{{HERE}}})" if by else f"max({metric}{{{HERE}}})"


def mean(metric: str, by: str = "") -> str:
    """The mean of a histogram over a day, since decisions are few; 0 where there was none."""
    grouped = f"sum by ({by}) " if by else "sum"
    total, number = (f"{grouped}(increase({metric}_{part}{{{HERE}}}[1d]))" for part in ("sum", "count"))
    return f"{total} / clamp_min({number}, 1)"


def a_day(metric: str, by: str, more: str = "") -> str:
    """How often in the last day."""
    return f"sum by ({by}) (increase({metric}{{{HERE}{more}}}[1d]))"


BOARD = Board(
    "serendip-safety",
    "Serendip: Safety",
    "What waits for a person, what was decided, how often it was wrong.",
    rows=(
        Row(
            "What waits",
            (
                Panel("Oldest urgent case", "Somebody may be in danger, or a child. An hour is too long.", "s",
                      ((f'max(serendip_cases_oldest_seconds{{{HERE}, queue="urgent"}})', "urgent"),), ((1_800, "orange"), (3_600, "red")), state=True, width=6),
                Panel("Oldest case", "Of any queue. A day is too long.", "s", ((most("serendip_cases_oldest_seconds"), "oldest"),),
                      ((43_200, "orange"), (86_400, "red")), state=True, width=6),
                Panel("Oldest appeal", "Somebody is kept out, and asks why. 72 hours is too long; after 14 days a short ban ends by itself.", "s",
                      ((most("serendip_appeals_oldest_seconds"), "oldest"),), ((172_800, "orange"), (259_200, "red")), state=True, width=6),
                Panel("Oldest notice", "Of anybody, at /notice. 72 hours is too long.", "s", ((most("serendip_notices_oldest_seconds"), "oldest"),),
                      ((172_800, "orange"), (259_200, "red")), state=True, width=6),
                Panel("Cases that wait", "By queue. Growing: there are more reports than people who read them.", "short",
                      ((most("serendip_cases_open", "queue"), "{{queue}}"),), base="blue"),
                Panel("Age of the oldest case", "By queue. A flat line at nought: none waits.", "s", ((most("serendip_cases_oldest_seconds", "queue"), "{{queue}}"),), ((86_400, "red"),)),
                Panel("Appeals and notices that wait", "Each is one person who waits for an answer.", "short",
                      ((most("serendip_appeals_open"), "appeals"), (f'sum({most("serendip_notices_open", "kind")})', "notices")), base="blue"),
            ),
        ),
        Row(
            "Reports",
            (
                Panel("Reports", "By reason, each chat and side once. Three times the day's mean is an alert.", "cps",
                      ((rate("serendip_reports_total", "reason"), "{{reason}}"),)),
                Panel("Acted on in the last day", "Reports that a person found right, by reason.", "short", ((a_day("serendip_reports_founded_total", "reason"), "{{reason}}"),),
                      base="blue"),
                Panel("On their way to the store", "Waiting: the store is away. `lost`: nobody will read it.", "short",
                      ((total("serendip_reports_waiting"), "waiting"), (total("serendip_reports_lost_total"), "lost since the start")), ((10, "orange"), (500, "red"))),
            ),
        ),
        Row(
            "What a program reads along",
            (
                Panel("Found", "Lines by the rule that finds something in them; who is told nothing is counted too.", "cps",
                      ((rate("serendip_findings_total", "rule"), "{{rule}}"),)),
                Panel("Told", "Tips by kind, each once a chat and person.", "cps", ((rate("serendip_tips_total", "kind"), "{{kind}}"),)),
                Panel("Under 18?", "Chats that ended since somebody wrote so, and what they answered. `again`: after an answer; people look at it.", "cps",
                      ((rate("serendip_age_questions_total", "result"), "{{result}}"),)),
                Panel("Is it there", "By process with people: away for a minute, its lines are looked at late or not at all.", "short",
                      ((f"min by (instance, process) (serendip_screening_up{{{HERE}}})", "{{instance}} {{process}}"),), ((1, "green"),), base="red", state=True,
                      words=(("0", "away"), ("1", "there")), empty="off"),
                Panel("How late", "The line that waited longest for its look since the last scrape, by process. A quarter of a second is usual at the most.", "s",
                      ((f"max by (instance, process) (serendip_screening_lag_seconds{{{HERE}}})", "{{instance}} {{process}}"),), ((1, "orange"), (5, "red"))),
                Panel("Share of lines", "Of the lines that were delivered while screening is on, those that were looked at. Below 99 in 100 for five minutes: SerendipScreeningBehind.", "percentunit",
                      ((f"sum by (instance) (rate(serendip_screening_lines_total{{{HERE}}}[$__rate_interval])) / "
                        f"(sum by (instance) (rate(serendip_screening_offered_total{{{HERE}}}[$__rate_interval])) > 0)", "{{instance}}"),), ((0.99, "green"),), base="red", empty="no lines"),
                Panel("Lines", "Looked at, and not: the memory for those that wait was full (not), they are of the dearest chats (line), or they cost too much to be read to their end (rest).", "cps",
                      ((rate("serendip_screening_lines_total"), "looked at"), (rate("serendip_screening_dropped_total"), "not"),
                       (rate("serendip_screening_skipped_total", "what"), "{{what}}"))),
                Panel("Provider of text", "Lines that `screening.provider` answered, answered too late, or did not get. Below 90 in 100 for ten minutes: SerendipProviderBehind.", "cps",
                      ((rate("serendip_provider_lines_total", "result"), "{{result}}"), (a_day("serendip_provider_ends_total", "cause"), "ended in the last day: {{cause}}")), empty="off"),
                Panel("Found by the provider", "Findings of the provider of text, by class.", "cps",
                      ((rate("serendip_provider_findings_total", "rule"), "{{rule}}"),), empty="off"),
                Panel("Does the provider answer", "By process with people, and the slowest answer since the last scrape.", "short",
                      ((f"min by (instance, process) (serendip_provider_up{{{HERE}}})", "{{instance}} {{process}}"),
                       (f"max by (instance, process) (serendip_provider_lag_seconds{{{HERE}}})", "{{instance}} {{process}} seconds")), empty="off"),
            ),
        ),
        Row(
            "What a program sees",
            (
                Panel("Are pictures looked at", "Away for a minute, no picture of video chats is looked at; nor are any where nobody reads cases.", "short",
                      ((f"min by (instance, process) (serendip_pictures_up{{{HERE}}})", "{{instance}} {{process}}"),), ((1, "green"),), base="red", state=True,
                      words=(("0", "away"), ("1", "there")), empty="off"),
                Panel("How late is it seen", "From pictures received to what they show. Four tenths of a second is the goal of 99 in a hundred.", "s",
                      quantiles("serendip_picture_seconds"), ((0.4, "orange"), (2, "red"))),
                Panel("Pictures", "Looked at, and not: too many waited, or the program was away.", "cps",
                      ((rate("serendip_picture_seconds_count"), "looked at"), (rate("serendip_pictures_dropped_total"), "not"))),
                Panel("Pictures that wait", "For the program. More and more: it is too slow for the looks that are asked for.", "short",
                      ((f"sum by (instance) (serendip_pictures_waiting{{{HERE}}})", "{{instance}}"),), ((50, "orange"), (150, "red"))),
                Panel("Looks", "At one side of a video chat: asked, what came of it, and what was seen. `missed`: nothing came, nor a reason.", "cps",
                      ((rate("serendip_snaps_total", "result"), "{{result}}"),)),
                Panel("Two pictures of one camera", "As both people gave it. `differs`: one of them shows another scene.", "cps",
                      ((rate("serendip_snap_agreement_total", "result"), "{{result}}"),)),
                Panel("What follows at once", "Strangers that were blurred, and no longer; `unchecked`: calls that ended, since pictures did not come.", "cps",
                      ((rate("serendip_veils_total", "result"), "{{result}}"),)),
                Panel("At the door", "Pictures taken, late, or refused for what they are; `forgotten`: chats whose pictures went for want of room. And stills of Omegle's programs.", "cps",
                      ((rate("serendip_pictures_taken_total", "result"), "{{result}}"), (rate("serendip_omegle_uploads_total", "result"), "unasked: {{result}}"))),
                Panel("Pictures sent in chats", "By users to each other: wishes, keys, and what was seen; `known`: on a list. `late` and `gone`: under a key that is not valid any more.", "cps",
                      ((rate("serendip_sent_pictures_total", "result"), "{{result}}"), (rate("serendip_sent_pictures_taken_total", "result"), "at the door: {{result}}"))),
                Panel("Pictures in memory", "Which a report may still ask for: the last of each chat, until ten minutes after it.", "bytes",
                      ((f"sum by (instance) (serendip_pictures_bytes{{{HERE}}})", "{{instance}}"),
                       (f"sum by (instance) (serendip_sent_pictures_bytes{{{HERE}}})", "{{instance}}: sent in chats"))),
            ),
        ),
        Row(
            "Challenges",
            (
                Panel("Challenges", "By kind and what became of them. Many asked and few solved: a flood, or a page that cannot solve them.", "cps",
                      ((rate("serendip_challenges_total", "kind, result"), "{{kind}} {{result}}"),)),
                Panel("Asked in the last hour, by level", "4: no challenge helped, and the search was refused.", "short",
                      ((f'sum by (level) (increase(serendip_challenges_total{{{HERE}, result=~"asked|refused"}}[1h]))', "{{level}}"),), base="blue"),
                Panel("Time to a solution", "Mean of the last day; nought: none was solved. A slow phone takes five times what a desktop does.", "s",
                      ((mean("serendip_challenge_solve_seconds"), "mean"),)),
                Panel("A company's check", "What it said of answers, where one is set (`challenge.provider`). Away: it says nothing, and people get our puzzle.", "cps",
                      ((rate("serendip_challenge_checks_total", "result"), "{{result}}"),), width=12),
                Panel("Answers on their way", "Those that the company is asked about; 16 at once and 256 in all, of each process. Always some: it is slow.", "short",
                      ((total("serendip_challenge_checks_waiting"), "answers"),), width=12),
            ),
        ),
        Row(
            "Decisions",
            (
                Panel("Time to a decision", "Mean of the last day, by queue; nought: none was made.", "s",
                      ((mean("serendip_case_decide_seconds", "queue"), "{{queue}}"),), ((86_400, "orange"),)),
                Panel("Measures in the last day", "By kind and rule; and whether a person or a program took it.", "short",
                      ((a_day("serendip_measures_total", "measure, rule, by"), "{{measure}} {{rule}} {{by}}"),), base="blue"),
                Panel("Ended by the clock in the last day", "`aged`: nobody looked in 30 days. `lifted`: a program's measure that nobody looked at in 72 hours.", "short",
                      ((a_day("serendip_cases_unread_total", "state"), "{{state}}"),), ((1, "orange"),)),
                Panel("Appeals in the last day", "`reversed`: we were wrong. `lapsed`: nobody answered in 14 days.", "short",
                      ((a_day("serendip_appeals_total", "result"), "{{result}}"),), base="blue"),
                Panel("Taken back in 14 days, by rule", "Share of the answered appeals. Above a fifth, of ten or more: the rule is misread.", "percentunit",
                      ((f'sum by (rule) (increase(serendip_appeals_total{{{HERE}, result="reversed"}}[14d])) / '
                        f'clamp_min(sum by (rule) (increase(serendip_appeals_total{{{HERE}, result=~"upheld|reversed"}}[14d])), 1)', "{{rule}}"),), ((0.2, "red"),)),
                Panel("Time to an answer", "To an appeal, mean of the last day; nought: none was answered.", "s", ((mean("serendip_appeal_seconds"), "mean"),), ((259_200, "red"),)),
                Panel("Second looks in 30 days", "Decided cases that somebody else saw without the decision. `missed`: nobody did. Above 15 % that differ: the rules are read in two ways.", "short",
                      ((f"sum by (result) (increase(serendip_second_looks_total{{{HERE}}}[30d]))", "{{result}}"),), base="blue"),
                Panel("Bans in force", "Identities and networks. `left out`: a program would have paused somebody, and nobody reads reports here.", "short",
                      ((total("serendip_bans_in_force"), "banned"), (total("serendip_measures_unattended_total"), "left out since the start")), base="blue", width=12),
                Panel("Refused connections", "Of banned people, and of countries that are not served. Many: somebody tries again and again.", "cps",
                      ((rate("serendip_banned_connects_total"), "turned away"), (rate("serendip_country_refusals_total"), "refused country")), width=12),
            ),
        ),
    ),
)  # fmt: skip
