"""List the countries of the European Economic Area: their names and codes as an operator may write them, in lower case."""

from typing import Final

_COUNTRIES: Final = {
    "at": "austria", "be": "belgium", "bg": "bulgaria", "cy": "cyprus", "cz": "czechia", "de": "germany", "dk": "denmark", "ee": "estonia",
    "es": "spain", "fi": "finland", "fr": "france", "gr": "greece", "hr": "croatia", "hu": "hungary", "ie": "ireland", "is": "iceland",
    "it": "italy", "li": "liechtenstein", "lt": "lithuania", "lu": "luxembourg", "lv": "latvia", "mt": "malta", "nl": "netherlands",
    "no": "norway", "pl": "poland", "pt": "portugal", "ro": "romania", "se": "sweden", "si": "slovenia", "sk": "slovakia",
}  # fmt: skip
_OTHERS: Final = {
    "the netherlands",
    "czech republic",
    "deutschland",
    "österreich",
    "norge",
    "italia",
    "españa",
    "european union",
    "eu",
    "eea",
}
EEA: Final = frozenset(_COUNTRIES) | frozenset(_COUNTRIES.values()) | _OTHERS
