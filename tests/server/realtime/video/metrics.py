"""What a server's metrics say, by name and labels."""

from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families


def scrape(port: int) -> dict[tuple[str, ...], float]:
    """Every sample: its name and the values of its labels, in the labels' alphabetical order."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
