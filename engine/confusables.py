"""Characters outside ASCII that look like another one, after UTS 39's confusables; see `tools` note below."""

SKELETON: dict[int, str] = {}
