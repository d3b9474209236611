"""The glossary: a list of terms, opened from the sidebar of every page, and the first use of a term in a text, explained by pointing or tapping."""

from __future__ import annotations

import html
import re

import streamlit as st

from pages.shared import guard, session
from pages.shared.session import key
from pages.shared.terms import TERMS, Term
from pages.shared.words import plain

BY_WRITING = {writing.lower(): term for term in TERMS for writing in (term.name, *term.also)}
_WRITINGS = "|".join(re.escape(writing) for writing in sorted(BY_WRITING, key=len, reverse=True))
# What stays as it is, then a term: code, formulas, targets of links, icons and other names between colons, tags.
_PARTS = re.compile(rf"(`[^`]*`|\$[^$]*\$|\]\([^)]*\)|:[a-z_]+/[a-z_]+:|<[^>]*>)|(?<![\w-])({_WRITINGS})(?![\w-])", re.IGNORECASE)

STYLE = """<style>
:is(p, li):has(> .unrolled-term, > strong > .unrolled-term, > em > .unrolled-term) { position: relative; }
.unrolled-term { text-decoration: underline dotted; text-underline-offset: 3px; cursor: help; }
.unrolled-term > span { display: none; position: absolute; z-index: 9; left: 0; top: 100%; width: max-content; max-width: min(30em, 100%);
  padding: 8px 12px; border: 1px solid #808080; border-radius: 8px; font-size: 1rem; font-weight: 400; color: light-dark(#1B1F24, #E8EAED);
  background: light-dark(#FFFFFF, #1B2027); box-shadow: 0 4px 18px rgba(0, 0, 0, .3); }
.unrolled-term:is(:hover, :focus) > span { display: block; }
#root .st-key-shell-terms button { color: inherit; }
</style>"""


def new_page() -> None:
    """Forget which terms this page has explained: every page explains a term where it first stands."""
    session.here().explained.clear()


def explained(text: str) -> str:
    """`text` with the first use of each term on this page marked, as Markdown with HTML. Only for texts of our own: nothing is escaped.

    A text that is drawn again, as by a timer, keeps its marks.
    """
    known, used = session.here().explained, set()

    def mark(found: re.Match[str]) -> str:
        term = BY_WRITING.get(found[0].lower())
        if found[1] is not None or term is None or term.name in used or known.setdefault(term.name, text) != text:
            return found[0]
        used.add(term.name)
        return f'<span class="unrolled-term" tabindex="0">{found[0]}<span>{html.escape(sentence(term))}</span></span>'

    return _PARTS.sub(mark, text)


def markdown(text: str) -> None:
    """Draw a text of our own with its terms explained."""
    st.markdown(explained(text), unsafe_allow_html=True)


def caption(text: str) -> None:
    """Draw a caption of our own with its terms explained."""
    st.caption(explained(text), unsafe_allow_html=True)


def sentence(term: Term) -> str:
    """Name, sentence and formula in one line."""
    return f"{term.name[0].upper()}{term.name[1:]}: {term.words}" + (f" {term.formula}" if term.formula else "")


def note(text: str) -> str | None:
    """The sentences of all terms in a heading, as its `help`; None where there is no term."""
    found = dict.fromkeys(BY_WRITING[match[2].lower()] for match in _PARTS.finditer(text) if match[2])
    return "\n\n".join(plain(sentence(term)) for term in found) or None


@st.fragment
@guard.section("The terms")
def terms() -> None:
    """Draw the list of terms in a popover; its content is made only when it is open."""
    with st.popover("Terms", icon=":material/menu_book:", type="tertiary", key=key("shell", "terms"), on_change="rerun") as part:
        if part.open:
            _list()


def _list() -> None:
    names = [term.name for term in TERMS]
    chosen = st.selectbox("Find a term", names, index=None, placeholder="Type or choose", key=key("shell", "term"))
    if chosen is None:
        st.markdown("\n".join(f"- **{plain(term.name)}**: {plain(term.words)}" for term in TERMS))
        return
    term = TERMS[names.index(chosen)]
    st.markdown(f"**{plain(term.name)}**: {plain(term.words)}")
    if term.formula:
        st.code(term.formula, language=None)
    if term.page:
        st.page_link(term.page, label="See it", icon=":material/arrow_forward:", query_params=dict(term.query))
    else:
        st.caption("No page of Unrolled shows it yet.")
