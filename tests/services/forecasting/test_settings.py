import pytest
from pydantic import ValidationError

from services.forecasting.settings import Settings

REQUIRED = {
    "database_url": "postgresql://forecasting_app@/stock",
    "journal_signing_key": "11" * 32,
    "gateway_key": "44" * 32,
    "metrics_token": "66" * 32,
    "forecasting_client_secret": "forecasting-client-secret",
    "inventory_encryption_key": "77" * 32,
}


def test_there_is_one_training_process_per_processor_unless_said():
    assert Settings(**REQUIRED).ai_workers >= 1
    assert Settings(**REQUIRED, ai_workers=3).ai_workers == 3


def test_a_scheduler_is_refused_in_words():
    with pytest.raises(ValidationError, match="this release trains on its own machine only"):
        Settings(**REQUIRED, ai_compute="tcp://scheduler:8786")
