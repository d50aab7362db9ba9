"""The application whose requests the tests of sampling and of redaction follow into every signal."""

import logging

from fastapi import FastAPI

import infersight

log = logging.getLogger("sampled")
infersight.configure(service_name="sampled")
app = FastAPI()
infersight.instrument_fastapi(app)


@infersight.observe(model="doubler", version="2")
def double(numbers: list[int]) -> list[int]:
    return [2 * number for number in numbers]


@app.get("/double")
async def doubled() -> None:
    with infersight.stage("preprocess"):
        double([1, 2, 3])
    log.info("doubled")
    log.warning("look out")
    infersight.prediction(label="two", confidence=0.5)


@app.get("/health")
async def health() -> None:
    return None
