"""Call languages by their names in English; a tag that is not listed stays a tag. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_LANGUAGES: Mapping[str, str] = MappingProxyType(
    dict(
        pair.split(" ", 1)
        for pair in (
            *("ar Arabic", "bg Bulgarian", "bn Bengali", "bo Tibetan", "ca Catalan", "cs Czech"),
            *("cy Welsh", "da Danish", "de German", "el Greek", "en English", "es Spanish"),
            *("et Estonian", "eu Basque", "fa Persian", "fi Finnish", "fr French", "ga Irish"),
            *("he Hebrew", "hi Hindi", "hr Croatian", "hu Hungarian", "hy Armenian"),
            *("id Indonesian", "is Icelandic", "it Italian", "ja Japanese", "ka Georgian"),
            *("kk Kazakh", "ko Korean", "ky Kyrgyz", "la Latin", "lt Lithuanian", "lv Latvian"),
            *("mn Mongolian", "ms Malay", "my Burmese", "ne Nepali", "nl Dutch", "no Norwegian"),
            *("nb Norwegian Bokmål", "nn Norwegian Nynorsk", "pa Punjabi", "pl Polish"),
            *("ps Pashto", "pt Portuguese", "ro Romanian", "ru Russian", "sk Slovak"),
            *("sl Slovenian", "sq Albanian", "sr Serbian", "sv Swedish", "sw Swahili", "ta Tamil"),
            *("tg Tajik", "th Thai", "tk Turkmen", "tr Turkish", "ug Uyghur", "uk Ukrainian"),
            *("ur Urdu", "uz Uzbek", "vi Vietnamese", "yi Yiddish", "zh Chinese"),
        )
    )
)
_SCRIPTS: Mapping[str, str] = MappingProxyType(
    {
        "Arab": "Arabic script",
        "Cyrl": "Cyrillic script",
        "Hans": "simplified characters",
        "Hant": "traditional characters",
        "Latn": "Latin script",
    }
)


def language_words(tag: str | None) -> str:
    """Return a language's name, with its script where that is given; an unknown tag as it is.

    >>> language_words("zh-Hans"), language_words("tlh")
    ('Chinese, simplified characters', 'tlh')
    """
    language, _, rest = (tag or "").partition("-")
    name = _LANGUAGES.get(language.lower())
    if name is None:
        return tag or ""
    script = _SCRIPTS.get(rest.partition("-")[0].capitalize())
    return f"{name}, {script}" if script else f"{name} ({rest})" if rest else name
