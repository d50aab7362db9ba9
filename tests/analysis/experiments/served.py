"""Requests of users who get variants, with predictions whose labels arrive later."""

from random import Random

from tests.analysis.recording import MS, SECOND, Recording

USERS = 400
BEGAN = 2_000
"""The request, and the second, with which the experiment begins; there were requests before."""


def serve(recording: Recording, *, seed: int = 4, with_twin: bool = False) -> None:
    """4 000 requests of users, half of them before the flag `ranker`; its b is 30 % faster and more often right.

    The flag `colour` is independent of it; its twin `same` is not.
    """
    random = Random(seed)
    users = [f"user-{number}" for number in range(USERS)]
    variant = {user: random.choice(["control", "b"]) for user in users}
    usual_ms = {user: random.gauss(80, 20) for user in users}
    plan = {user: random.choice(["free", "pro"]) for user in users}
    for number in range(1, 4_001):
        user = random.choice(users)
        is_b = variant[user] == "b" and number > BEGAN
        duration = max(5.0, usual_ms[user] + random.gauss(0, 10)) * (0.7 if is_b else 1.0)
        start = number * SECOND
        attributes = {
            "http.route": "/predict",
            "user.id": user,
            "app.plan": plan[user],
            "app.items": random.randint(1, 9),
        }
        error = "no" if random.random() < 0.04 else None
        recording.span(
            number, 1, "POST /predict", start, int(duration * MS), kind="SERVER", error=error, attributes=attributes
        )
        if number > BEGAN:
            evaluate(recording, number, "ranker", variant[user], user)
            if with_twin:
                evaluate(recording, number, "same", "on" if is_b else "off", user)
            evaluate(recording, number, "colour", "red" if hash_of(user) else "blue", user)
            predict(recording, number, is_right=random.random() < (0.9 if is_b else 0.75))


def hash_of(user: str) -> int:
    return Random(f"colour {user}").randint(0, 1)


def evaluate(recording: Recording, number: int, flag: str, variant: str, user: str) -> None:
    facts = {"feature_flag.key": flag, "feature_flag.result.variant": variant, "feature_flag.context.id": user}
    recording.log(
        number * SECOND + MS,
        f"{flag}: {variant}",
        trace=number,
        span=1,
        event_name="feature_flag.evaluation",
        attributes=facts,
    )


def predict(recording: Recording, number: int, *, is_right: bool) -> None:
    prediction = {"infersight.prediction.id": f"p{number}"}
    facts = {"infersight.prediction.label": "cat", "infersight.prediction.confidence": 0.5 + number % 10 / 20}
    at = number * SECOND + 2 * MS
    recording.log(at, "cat", trace=number, span=1, event_name="infersight.prediction", attributes=prediction | facts)
    if number % 2:  # a label arrives for every other one, an hour later
        label = {"infersight.feedback.label": "cat" if is_right else "dog"}
        recording.log(at + 3_600 * SECOND, "label", event_name="infersight.feedback", attributes=prediction | label)
