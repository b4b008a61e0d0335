import pytest

from veloflux import settings
from veloflux.errors import SettingInvalid


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("VELOFLUX_PORT", "0", "VELOFLUX_PORT is invalid: Expected `int` >= 1"),
        ("VELOFLUX_PORT", "http", "VELOFLUX_PORT is invalid"),
        ("VELOFLUX_PRT", "1", "VELOFLUX_PRT is not a setting; did you mean VELOFLUX_PORT?"),
        ("VELOFLUX_PUBLIC_URL", "console.example.com", "VELOFLUX_PUBLIC_URL is invalid"),
        ("VELOFLUX_PUBLIC_URL", "javascript:alert(1)", "VELOFLUX_PUBLIC_URL is invalid"),
        ("VELOFLUX_TRUSTED_PROXIES", "10.0.0.0/8, nonsense", "VELOFLUX_TRUSTED_PROXIES is invalid: 'nonsense' is no"),
        ("VELOFLUX_TRUSTED_PROXIES", "10.0.0.0/33", "VELOFLUX_TRUSTED_PROXIES is invalid: '10.0.0.0/33' is no"),
        ("VELOFLUX_SECRET_FILE", "/nowhere/secret", "The file that VELOFLUX_SECRET_FILE names cannot be read"),
        ("VELOFLUX_CONFIG", "/nowhere/veloflux.toml", "The settings file /nowhere/veloflux.toml cannot be read"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_fault(name: str, value: str, fault: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        settings.load({"VELOFLUX_CONFIG": "/dev/null", name: value})
    assert fault in str(refused.value)


def test_settings_come_from_the_environment_as_texts() -> None:
    chosen = {"VELOFLUX_TRUSTED_PROXIES": " 10.0.0.0/8,::1 ", "VELOFLUX_PUBLIC_URL": "https://console.example/path"}
    loaded = settings.load({"VELOFLUX_CONFIG": "/dev/null", "VELOFLUX_PORT": "81", **chosen})
    assert (loaded.port, loaded.trusted_proxies) == (81, ("10.0.0.0/8", "::1"))
    assert loaded.console_url == "https://console.example/path"
