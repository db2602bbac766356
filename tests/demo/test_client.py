import httpx
import pytest
import stamina

from demo.client import Client, Refused, worth_trying_again


@pytest.fixture(autouse=True)
def _without_waiting():
    with stamina.set_testing(testing=True, attempts=4):
        yield


class Server:
    """Answers from a list, an exception being raised, and keeps the requests."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, token=None):
        return Client("http://gateway", token, httpx.MockTransport(self))


def problem(status, code, **members):
    return httpx.Response(status, json={"code": code, "detail": "No.", **members})


def test_post_is_tried_again_with_the_same_key_until_it_succeeds():
    server = Server(
        httpx.ConnectError("refused"),
        problem(503, "unavailable"),
        httpx.Response(201, json={"id": 1}),
    )

    assert server.client().post("/api/locations", {"name": "A"}) == {"id": 1}

    keys = {request.headers["Idempotency-Key"] for request in server.requests}
    assert len(server.requests) == 3
    assert len(keys) == 1


def test_every_post_has_a_key_of_its_own():
    server = Server(*[httpx.Response(201, json={}) for _ in range(2)])
    client = server.client()

    client.post("/a", {})
    client.post("/a", {})

    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 2


def test_a_no_is_not_asked_again_and_says_why():
    server = Server(
        problem(
            422, "invalid", errors=[{"path": "/name", "code": "missing", "message": "Give it."}]
        )
    )

    with pytest.raises(Refused, match=r"POST /a: 422 No\. /name: Give it\.") as raised:
        server.client().post("/a", {})

    assert raised.value.code == "invalid"
    assert len(server.requests) == 1


def test_an_answer_that_is_no_problem_is_told_too():
    server = Server(httpx.Response(404, text="nothing here"))

    with pytest.raises(Refused, match="GET /a: 404 nothing here"):
        server.client().get("/a")


def test_it_gives_up_in_the_end():
    server = Server(*[httpx.ConnectError("refused") for _ in range(4)])

    with pytest.raises(httpx.ConnectError):
        server.client().get("/a")

    assert server.answers == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(429, headers={"Retry-After": "7"}), 7.0),
        (httpx.Response(503), True),
        (httpx.Response(503, headers={"Retry-After": "Sun, 22 Nov 2026 01:00:00 GMT"}), True),
        (httpx.Response(409, json={"code": "idempotency_in_progress"}), True),
        (httpx.Response(409, json={"code": "insufficient_stock"}), False),
        (httpx.Response(500), False),
    ],
)
def test_what_is_worth_trying_again(answer, expected):
    answer.request = httpx.Request("GET", "http://gateway/a")

    assert worth_trying_again(Refused(answer)) == expected


def test_a_fault_of_ours_is_not_tried_again():
    assert not worth_trying_again(ValueError("ours"))


def test_pages_are_followed_to_the_last():
    server = Server(
        httpx.Response(200, json={"items": [1, 2], "next_cursor": "c"}),
        httpx.Response(200, json={"items": [3], "next_cursor": None}),
    )

    assert list(server.client().pages("/a", limit=2)) == [1, 2, 3]
    assert str(server.requests[1].url) == "http://gateway/a?limit=2&cursor=c"


def test_a_person_signed_in_calls_with_his_token():
    class Ada:
        def access_token(self, url):
            return f"token for {url}"

    server = Server(httpx.Response(200, json={}))

    server.client().signed_in(Ada()).get("/api/auth/me")

    assert server.requests[0].headers["Authorization"] == "Bearer token for http://gateway"
