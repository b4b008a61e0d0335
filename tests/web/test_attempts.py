"""Guessing over HTTP: every door to a password is closed for a while, with the code and the seconds to wait."""

import httpx2

from tests import cast
from tests.web.scene import Scene
from veloflux.identity import attempts

GUESS = {"email": cast.email("alice"), "password": "a wrong guess"}
FROM_HERE = {"sec-fetch-site": "same-origin"}


async def test_a_program_that_guesses_is_told_when_it_may_go_on(http: httpx2.AsyncClient, scene: Scene) -> None:
    answers = [await http.post("/api/auth/login", json=GUESS) for _ in range(attempts.FREE_HERE + 1)]
    assert [answer.status_code for answer in answers] == [401] * attempts.FREE_HERE + [429]
    told = answers[-1].json()
    assert (told["code"], told["retry_after"]) == ("too_many_attempts", 2)
    assert answers[-1].headers["retry-after"] == "2"


async def test_whoever_guesses_in_the_console_is_stopped_with_a_sentence_and_no_hint_whether_there_is_an_account(
    http: httpx2.AsyncClient, scene: Scene
) -> None:
    pages = []
    for name in ("alice", "nobody"):
        form = GUESS | {"email": cast.email(name), "next": "/console"}
        for _ in range(attempts.FREE_HERE + 1):
            answer = await http.post("/console/sign-in", data=form, headers=FROM_HERE)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
        assert "Too many attempts; wait 2 s" in answer.text
        pages.append(answer.text.replace(cast.email(name), "").replace(answer.headers["x-request-id"], ""))
    assert pages[0] == pages[1]
