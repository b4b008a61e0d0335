import re

import pytest
from jinja2 import UndefinedError

from veloflux.events import Event
from veloflux.web.templating import HERE, render

TEMPLATES = sorted((HERE / "templates").glob("*.html"))
FORM = re.compile(r"<form\b[^>]*>")
TAG = re.compile(r"<[a-z][^>]*>")

ROW = {
    "slug": "acme",
    "name": "<b>Acme</b>",
    "plan": "pro",
    "mode": "sandbox",
    "status": "active",
    "created_at": 1431857100000,
}
OPERATOR = {"impersonator": "", "id": "usr_1", "name": "Maria Gonçalves", "email": "maria@example.com"}


def tenants_page(language: str, **context: object) -> str:
    lists = {"plans": [("free", "Free")], "zones": ["UTC"], "currencies": ["BRL"], "next": None, "archived": False}
    return render("tenants.html", language, viewer=OPERATOR, **{"rows": [ROW], **lists, **context})


def test_every_form_that_posts_names_its_use_case_except_the_choice_of_language() -> None:
    posting = [form for path in TEMPLATES for form in FORM.findall(path.read_text()) if 'method="post"' in form]
    assert len(posting) > 10
    assert [form for form in posting if "data-action=" not in form and "/console/language" not in form] == []


def test_the_history_of_a_subscription_has_words_for_all_that_can_be_in_it() -> None:
    told = (HERE / "templates" / "_billing.html").read_text()
    named = {kind.name for kind in Event.__subclasses__() if "subscription" in kind.__struct_fields__}
    assert len(named) > 20
    assert [name for name in sorted(named) if f'"{name}": _(' not in told] == []


def test_no_template_needs_more_than_the_strict_content_security_policy_allows() -> None:
    forbidden = re.compile(r"\s(style|on[a-z]+)=|<style|<script>|https?://|\bhx-on")
    assert [(path.name, found.group()) for path in TEMPLATES if (found := forbidden.search(path.read_text()))] == []


def test_a_page_refuses_to_render_without_what_it_needs() -> None:
    with pytest.raises(UndefinedError, match="password_min"):
        render("sign_up.html", "en")


def test_what_people_typed_is_escaped() -> None:
    assert "&lt;b&gt;Acme&lt;/b&gt;" in tenants_page("en")
    assert "<b>Acme" not in tenants_page("en")


def test_a_page_speaks_the_language_asked_for() -> None:
    assert '<html lang="pt-BR">' in tenants_page("pt-BR")
    assert "Criar tenant" in tenants_page("pt-BR", may={"tenants.create"})
    assert "Create tenant" in tenants_page("en", may={"tenants.create"})


def test_times_are_shown_in_the_zone_of_the_page() -> None:
    assert "17 May 2015 10:05" in tenants_page("en")
    assert "17 mai. 2015 07:05" in tenants_page("pt-BR", zone="America/Sao_Paulo")


def test_a_problem_stands_at_its_field_and_what_was_typed_stays() -> None:
    problem = {"code": "name_taken", "sentence": "acme is taken.", "field": "slug", "request_id": "req_1"}
    html = tenants_page("en", may={"tenants.create"}, problem=problem, form={"slug": "acme", "name": "Acme"})
    field = next(tag for tag in TAG.findall(html) if 'id="f-slug"' in tag)
    assert 'value="acme"' in field
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="h-slug e-slug"' in field
    assert re.search(r'id="e-slug">.*acme is taken\.', html, re.DOTALL)


def test_a_problem_is_told_in_the_readers_language_by_its_code() -> None:
    error = {"code": "not_found", "status": 404, "sentence": "No such tenant.", "request_id": "req_1"}
    assert "No such tenant." in render("error.html", "en", error=error)
    assert "Não há nada neste endereço" in render("error.html", "pt-BR", error=error)


def test_only_the_use_cases_that_a_person_may_do_are_offered() -> None:
    assert 'data-action="tenants.create"' in tenants_page("en", may={"tenants.create"})
    assert 'data-action="tenants.create"' not in tenants_page("en")


def test_every_input_has_a_label() -> None:
    html = tenants_page("en", may={"tenants.create"})
    ids = [tag for tag in TAG.findall(html) if tag.startswith(("<input", "<select")) and 'type="text"' in tag]
    assert ids
    for tag in ids:
        found = re.search(r'id="(f-\w+)"', tag)
        assert found
        assert f'for="{found.group(1)}"' in html
