import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from veloflux.kit import i18n
from veloflux.web import api_page
from veloflux.web.templating import HERE, environment

TEMPLATES = HERE / "templates"
NAMES = sorted(path.name for path in TEMPLATES.glob("*.html"))


def sentences() -> set[str | tuple[str, ...]]:
    """Those of the templates, and those of the code that writes documents."""
    options = {"**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
    pages = extract_from_dir(TEMPLATES, [("**.html", "jinja2")], options)
    documents = extract_from_dir(HERE.parent / "billing", [("**.py", "python")])
    return {message for _, _, message, _, _ in (*pages, *documents)}


def catalogue(language: str) -> Catalog:
    with (i18n.LOCALES / f"{i18n.locale_of(language)}.po").open("rb") as file:
        return read_po(file)


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", text))


def translated() -> Iterator[tuple[str, str]]:
    for message in catalogue("pt-BR"):
        if message.id and isinstance(message.id, str):
            yield message.id, str(message.string)
        elif message.id:
            yield from zip(message.id, message.string, strict=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_template_compiles(name: str) -> None:
    assert environment().get_template(name).name == name


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_catalogue_holds_every_sentence_of_pages_and_documents(language: str) -> None:
    found = {message.id for message in catalogue(language)}
    assert len(NAMES) > 10
    assert {"Credit note", "Tax id %(id)s"} <= sentences()
    assert sentences() - found == set()


def test_every_sentence_has_a_portuguese_translation_that_nobody_doubts() -> None:
    doubted = [message.id for message in catalogue("pt-BR") if message.id and message.fuzzy]
    untranslated = [source for source, translation in translated() if not translation]
    assert (doubted, untranslated) == ([], [])


def test_every_translation_keeps_the_names_that_the_sentence_fills_in() -> None:
    assert [source for source, translation in translated() if placeholders(source) != placeholders(translation)] == []


def test_every_listed_sentence_of_an_error_is_one_that_the_code_says() -> None:
    code = "".join(path.read_text() for path in HERE.parent.rglob("*.py"))
    listed = re.findall(r'_\("(.+)"\)', (TEMPLATES / "_sentences.html").read_text())
    assert listed
    assert [sentence for sentence in listed if f'"{sentence}"' not in code] == []


@pytest.mark.parametrize("module", [i18n, api_page])
def test_the_worked_examples_of_the_pure_functions_hold(module: object) -> None:
    outcome = doctest.testmod(module)  # type: ignore[arg-type]
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize(
    ("cookie", "accepted", "chosen"),
    [
        (None, "pt-PT,pt;q=0.9", "pt-BR"),
        (None, "en;q=0.1, pt-br;q=0.9", "pt-BR"),
        (None, "pt;q=0, en", "en"),
        (None, "pt;q=rubbish", "en"),
        ("pt-BR", "en", "pt-BR"),
        ("../../etc", "*", "en"),
        (None, None, "en"),
    ],
)
def test_the_language_is_the_cookies_else_the_most_wanted_one(
    cookie: str | None, accepted: str | None, chosen: str
) -> None:
    assert i18n.choose(cookie, accepted) == chosen


def test_the_folder_of_catalogues_holds_one_file_a_language_and_no_compiled_one() -> None:
    files = {path.name for path in Path(i18n.LOCALES).iterdir()}
    assert files == {"babel.cfg", *(f"{i18n.locale_of(language)}.po" for language in i18n.LANGUAGES)}
