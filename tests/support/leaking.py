"""An application that leaks secrets everywhere; it is formatted with `secrets=SECRETS`."""

SECRETS = {
    "password": "hunter22-Zq",
    "spaced": "correct horse, battery; staple",
    "bearer": "tok_9f8e7d6c5b4a3210",
    "email": "jane.doe@example.org",
    "card": "4111111111111111",
    "ssn": "123-45-6789",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "session": "s3ss10n-c00k1e",
    "patient": "MRN-778899",
    "signed": "a1b2c3d4e5f6signature",
}

LEAKING = """
import logging, os, asyncio, httpx, infersight
from fastapi import FastAPI
from opentelemetry import metrics, trace
S = {secrets!r}
infersight.configure(service_name="leaking", redact_patterns={{"mrn": r"MRN-[0-9]+"}}, redact_keys=["patient.id"],
                     slow_seconds=1e-6)
app = FastAPI()
infersight.instrument_fastapi(app)
log = logging.getLogger("leaking")

@app.get("/leak/{{path}}")
async def leak(path: str):
    span = trace.get_current_span()
    span.set_attribute("db.password", S["password"])
    span.set_attribute("url.full", "https://u:" + S["password"] + "@h/p?api_key=" + S["bearer"] + "&sig=" + S["signed"])
    span.set_attribute("http.request.header.authorization", ["Bearer " + S["bearer"]])
    span.set_attribute("notes", [S["email"], "card " + S["card"]])
    span.set_attribute("patient.id", S["patient"])
    span.set_attribute("raw", S["email"].encode())
    span.set_attribute("user " + S["email"], 1)
    span.add_event("paid by " + S["email"], {{"cvv": 123, "card": S["card"]}})
    span.update_name("GET /leak for " + S["email"])
    span.set_status(trace.StatusCode.ERROR, "password=" + S["password"])
    with infersight.stage("admit " + S["patient"], **{{"jwt": S["jwt"], "note": S["ssn"]}}):
        log.info("login of %s with password=%s", S["email"], S["password"], extra={{"token": S["bearer"]}})
    log.info({{"event": "login", "headers": {{"cookie": "id=" + S["session"], S["email"]: 1}}, "who": [S["email"]]}})
    log.info('{{"user": "u", "password": "%s"}}', S["spaced"])
    log.info('{{"note": "{{\\\\"secret\\\\": \\\\"%s\\\\"}}"}}', S["password"])
    log.info("headers: %r", [(b"x-api-key", S["bearer"].encode()), (b"cookie", b"id=" + S["session"].encode())])
    log.info("Cookie: a=b; id=%s", S["session"])
    log.info("GET /x?first=1&access_token=%s&user=%s", S["bearer"], S["email"].replace("@", "%40"))
    log.info("started with --api-key %s --verbose", S["bearer"])
    with infersight.detail("detail", secret=S["password"]):
        log.debug("key %s", S["aws"])
    counter = metrics.get_meter("m").create_counter("logins")
    counter.add(1, {{"email": S["email"], "api_key": S["bearer"]}})
    infersight.prediction(label=S["email"], confidence=0.5, input=S["email"])
    try:
        raise LookupError("no row for " + S["email"])
    except LookupError:
        log.exception("failed for %s", S["ssn"])
    raise ValueError("password: " + S["password"])

async def main():
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.get("/leak/a", params={{"token": S["bearer"], "q": S["email"]}})
asyncio.run(main())
infersight.shutdown()
"""
