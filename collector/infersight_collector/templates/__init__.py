"""Log templates: the constant text of log messages, with `<*>` where values were.

    texts -> masked (one vectorised pass) -> Miner (one a service) -> template -> template_id

It knows neither pipeline nor store, so that the analysis layer may use it on what is stored.
"""

from infersight_collector.templates.learned import MAX_TEMPLATES, Learned
from infersight_collector.templates.masks import ANY, masked
from infersight_collector.templates.miner import Miner, template_id

__all__ = ["ANY", "MAX_TEMPLATES", "Learned", "Miner", "masked", "template_id"]
