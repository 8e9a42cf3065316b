"""Markdown as a browser would get it, and what GitHub would make of its text, to see that nothing breaks out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

OURS = {
    "a",
    "blockquote",
    "br",
    "code",
    "details",
    "em",
    "h2",
    "h3",
    "h4",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "sub",
    "summary",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
}
# What GitHub finds in the text of a rendered page: mentions, numbers of issues, bare addresses, mathematics.
LIVE = re.compile(
    r"@[A-Za-z0-9]|(?<![\w&])#\d|\bGH-\d|https?://|\bwww\.|\bmailto:[^\u200b]|[\w.]@[\w-]+\.\w", re.IGNORECASE
)


@dataclass
class Rendered(HTMLParser):
    """Elements, addresses and text of a page."""

    tags: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    prose: str = ""
    everything: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("br", "hr"):
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("br", "hr"):
            return
        assert tag in self.open, f"</{tag}> closes nothing"
        while self.open.pop() != tag:
            pass

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.everything += data
        self.prose += " " if {"code", "pre"} & set(self.open) else data


def rendered(markdown: str) -> Rendered:
    """As GitHub renders comments: tables, strikethrough, HTML, line breaks kept."""
    reader = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])
    page = Rendered()
    page.feed(reader.render(markdown))
    page.close()
    return page


def assert_ours(markdown: str, base: str = "https://github.com/octo-air/flight-delay/") -> Rendered:
    """Nothing on the page that our templates do not put there."""
    page = rendered(markdown)
    assert set(page.tags) <= OURS, set(page.tags) - OURS
    assert page.attributes <= {"href", "style", "class", "start"}
    assert all(address.startswith(base) for address in page.addresses), page.addresses
    assert not LIVE.search(page.prose), LIVE.search(page.prose)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in markdown.split("\n"))
    return page
