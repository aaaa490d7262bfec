"""Made-up openers: seven adverts with forty variants each, as programs that send them write, and lines that people begin with."""

import random
from typing import Final

TEMPLATES: Final = (
    "hey {name} im so bored tonight wanna see my private pics? add me on snap {handle}",
    "hi there! i am {name}, 19 f from {town}. lets talk on kik, my username is {handle}",
    "earn 500 dollars a day from home without any work, just visit {link} and sign up",
    "free gift cards for everybody here, i already got mine at {link} try it before it ends",
    "join our {town} group, my telegram is {handle}, hot girls are waiting for you every night",
    "hello dear, i was hacked and lost my other account, please write me on whatsapp {handle}",
    "best crypto signals of the year, double your bitcoin in one week, details at {link} ask {name}",
)
NAMES: Final = ("anna", "mia", "lucy", "emma", "kate", "sofia", "jenny", "lena", "olga", "nina")
TOWNS: Final = ("texas", "london", "berlin", "madrid", "paris", "oslo", "lisbon", "cairo")
LOOK_ALIKE: Final = str.maketrans({"a": "\u0430", "e": "\u0435", "o": "\u043e", "c": "\u0441", "p": "\u0440"})
SWAPS: Final = (
    ("tonight", "now"),
    ("please", "pls"),
    ("you", "u"),
    ("just", "only"),
    ("hi there", "hiya"),
    ("everybody", "all of you"),
)
# Words and beginnings of people: few, so that many lines are near to each other.
STARTS: Final = (
    "hey",
    "hi",
    "hello there",
    "good evening",
    "hola",
    "so",
    "ok",
    "asl please",
)
MIDDLES: Final = (
    "what are you up to tonight my friend",
    "where are you from and what time is it there",
    "do you like music or films more these days",
    "i am so tired of work today how about you",
    "what is the best thing that happened to you this week",
    "anyone here who plays chess or reads books",
    "i just came home from a long walk in the rain",
    "tell me something that nobody knows about cats",
)


def variants(template: str, number: int, dice: random.Random) -> list[str]:
    """So many, each with its own name, handle and link, and one of the ways to hide that they are one."""
    found = []
    for _ in range(number):
        handle = dice.choice(NAMES) + dice.choice(("", "_", ".")) + str(dice.randrange(10, 9999))
        link = f"www.{dice.choice(NAMES)}{dice.randrange(100)}.example/{dice.randrange(10**6)}"
        line = template.format(name=dice.choice(NAMES), town=dice.choice(TOWNS), handle=handle, link=link)
        how = dice.randrange(5)
        if how == 0:
            line = line.translate(LOOK_ALIKE)
        elif how == 1:
            line = "".join(char + ("\u200b" if dice.random() < 0.2 else "") for char in line)
        elif how == 2:
            for old, new in SWAPS:
                line = line.replace(old, new)
        elif how == 3:
            line = line.upper()
        found.append(line)
    return found


def said_by_people(number: int, dice: random.Random) -> list[str]:
    """Lines of so many people."""
    return [
        f"{dice.choice(STARTS)} {dice.choice(MIDDLES)} {dice.choice(('', 'lol', ':)', 'and you?'))}"
        for _ in range(number)
    ]
