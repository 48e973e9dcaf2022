import dataclasses
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import SettingsError
from qa.settings import Secret, Settings, settings_table

LONG = "correct-horse-battery-staple"


def test_an_empty_environment_gives_the_defaults():
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.api_key) == ("127.0.0.1", 8000, None)
    assert settings.public_base_url == "http://127.0.0.1:8000"
    assert settings.offline
    assert settings.data_dir == Path(".nutgraf")


def test_every_setting_can_be_set_by_its_variable():
    given_values = {
        "data_dir": "x", "store": "milvus+https://m:1/news", "store_token": "root:x", "corpus": "docs", "host": "::1", "port": "81", "api_key": LONG,
        "public_base_url": "https://n.example/", "allowed_hosts": "a:1, B", "embedding_model": "m",
        "reranker": "off", "offline": "no", "threads": "4", "llm_base_url": "http://h:1/v1", "llm_model": "q",
        "llm_api_key": "s", "llm_ttft_s": "1.5", "llm_gap_s": "2", "llm_total_s": "3", "llm_max_bytes": "4096",
        "llm_context_tokens": "600", "llm_max_tokens": "20",
        "llm_structured": "no",
        "record_days": "3", "record_answers": "5", "record_text": "yes",
        "otlp_endpoint": "http://h:4318", "log_level": "DEBUG",
    }  # fmt: skip
    settings = Settings.from_env({f"NUTGRAF_{name.upper()}": value for name, value in given_values.items()})
    changed = [f.name for f in dataclasses.fields(Settings) if getattr(settings, f.name) != f.default]
    # a file stands instead of an endpoint and has a test of its own
    assert changed == [f.name for f in dataclasses.fields(Settings) if f.name != "llm_gguf"]
    assert settings.allowed_hosts == ("a:1", "b")
    assert settings.public_base_url == "https://n.example"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NUTGRAF_PORT", "http", "a whole number from 0 to 65535; given: 'http'"),
        ("NUTGRAF_PORT", "1_000", "a whole number"),
        ("NUTGRAF_PORT", "-1", "a whole number"),
        ("NUTGRAF_PORT", "9" * 300, "a whole number"),
        ("NUTGRAF_OFFLINE", "perhaps", "1, true, yes, on, 0, false, no or off"),
        ("NUTGRAF_LLM_TTFT_S", "nan", "seconds"),
        ("NUTGRAF_LLM_TTFT_S", "0", "seconds"),
        ("NUTGRAF_LLM_TTFT_S", "soon", "seconds"),
        ("NUTGRAF_LOG_LEVEL", "loud", "debug, info, warning or error"),
        ("NUTGRAF_LLM_BASE_URL", "file:///etc/passwd", "an http:// or https:// URL"),
        ("NUTGRAF_LLM_BASE_URL", "http://user:pw@host/v1", "without user name"),
        ("NUTGRAF_PUBLIC_BASE_URL", "http://[::1", "URL"),
        ("NUTGRAF_PUBLIC_BASE_URL", "http://h:99999", "URL"),
        ("NUTGRAF_ALLOWED_HOSTS", "a b", "host or host:port"),
        ("NUTGRAF_HOST", "http://x", "an IP address or a host name"),
        ("NUTGRAF_STORE", "milvus", "milvus+http://HOST:PORT"),
        ("NUTGRAF_STORE", "milvus+http://host", "milvus+http://HOST:PORT"),
        ("NUTGRAF_STORE", "milvus+http://host:x", "milvus+http://HOST:PORT"),
        ("NUTGRAF_STORE", "milvus+http://host:1/a-b", "letters, digits and '_'"),
        ("NUTGRAF_STORE", "milvus+lite:/data/milvus", "ends with .db"),
    ],
)
def test_a_bad_value_is_refused_with_its_variable_and_what_is_allowed(name, value, said):
    with pytest.raises(SettingsError, match=re.escape(said)) as caught:
        Settings.from_env({name: value})
    assert str(caught.value).startswith(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_value_counts_as_not_set(blank):
    env = {"NUTGRAF_API_KEY": blank, "NUTGRAF_PORT": blank, "NUTGRAF_LLM_BASE_URL": blank}
    assert Settings.from_env(env) == Settings()


@pytest.mark.parametrize("short", ["x", "None", "null", "changeme", "fifteen-letters"])
def test_a_short_key_is_refused_and_not_repeated(short):
    with pytest.raises(SettingsError, match="at least 16 characters") as caught:
        Settings.from_env({"NUTGRAF_API_KEY": short})
    assert short not in str(caught.value).removeprefix("NUTGRAF_API_KEY")


@pytest.mark.parametrize(
    "odd", ["correct horse battery staple", "schlüssel-schlüssel", "a" * 16 + "\r\nX: y"]
)
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(odd):
    with pytest.raises(SettingsError, match="printable ASCII") as caught:
        Settings.from_env({"NUTGRAF_API_KEY": odd})
    assert odd[:6] not in str(caught.value)


def test_an_unknown_variable_is_refused_with_the_nearest_known_one():
    with pytest.raises(SettingsError, match="'NUTGRAF_PROT' is not a setting; did you mean NUTGRAF_PORT"):
        Settings.from_env({"NUTGRAF_PROT": "80"})


def test_variables_of_other_programs_are_left_alone():
    assert Settings.from_env({"PATH": "/bin", "HOME": "/root", "nutgraf_port": "1"}) == Settings()


def test_the_token_of_a_store_stands_in_no_address_and_is_not_repeated():
    with pytest.raises(SettingsError, match="a token is a setting of its own") as caught:
        Settings.from_env({"NUTGRAF_STORE": f"milvus+http://root:{LONG}@host:1"})
    assert LONG not in str(caught.value)


@pytest.mark.parametrize("secret_field", ["api_key", "llm_api_key", "store_token"])
def test_no_form_of_the_settings_shows_a_secret(secret_field):
    settings = Settings.from_env({f"NUTGRAF_{secret_field.upper()}": LONG})
    assert getattr(settings, secret_field).reveal() == LONG
    assert LONG not in f"{settings!r} {settings} {dataclasses.asdict(settings)}"


def test_secrets_are_equal_by_value():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1


def test_a_key_alone_configures_no_llm():
    assert not Settings.from_env({"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "http://h/v1"}).uses_llm


def test_a_model_and_a_key_configure_an_llm():
    settings = Settings.from_env({"OPENAI_API_KEY": "sk-1", "NUTGRAF_LLM_MODEL": "m"})
    assert settings.uses_llm
    assert settings.llm_api_key == Secret("sk-1")


def test_a_file_is_an_llm_and_is_waited_for_longer():
    settings = Settings.from_env({"NUTGRAF_LLM_GGUF": "/m.gguf", "NUTGRAF_LLM_TOTAL_S": "7"})
    assert settings.uses_llm
    assert (settings.llm_ttft_s, settings.llm_total_s) == (120, 7)


def test_a_file_and_an_endpoint_are_one_llm_too_many():
    env = {"NUTGRAF_LLM_GGUF": "/m.gguf", "NUTGRAF_LLM_MODEL": "m", "NUTGRAF_LLM_BASE_URL": "http://a/v1"}
    with pytest.raises(SettingsError, match="two LLMs"):
        Settings.from_env(env)


def test_our_own_variables_win_over_those_of_the_openai_client():
    env = {"OPENAI_BASE_URL": "http://a/v1", "NUTGRAF_LLM_BASE_URL": "http://b/v1", "NUTGRAF_LLM_MODEL": "m"}
    assert Settings.from_env(env).llm_base_url == "http://b/v1"


def test_an_endpoint_without_a_model_is_refused():
    with pytest.raises(SettingsError, match="NUTGRAF_LLM_MODEL"):
        Settings.from_env({"NUTGRAF_LLM_BASE_URL": "http://h/v1"})


def test_a_model_without_any_endpoint_is_refused():
    with pytest.raises(SettingsError, match="NUTGRAF_LLM_BASE_URL"):
        Settings.from_env({"NUTGRAF_LLM_MODEL": "m"})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "http://[::1]:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("box.lan", "http://box.lan:8000"),
    ],
)
def test_the_address_to_open_is_made_of_host_and_port(host, url):
    assert Settings.from_env({"NUTGRAF_HOST": host}).public_base_url == url


def test_the_port_that_was_bound_goes_into_the_address_unless_one_was_given():
    assert Settings(port=0).bound_to(4321).public_base_url == "http://127.0.0.1:4321"
    assert (
        Settings(port=0, public_base_url="https://n.example").bound_to(1).public_base_url
        == "https://n.example"
    )


def test_the_table_names_every_variable_once_with_a_description():
    lines = settings_table().splitlines()[2:]
    fields = dataclasses.fields(Settings)
    assert len(lines) == len(fields)
    for line, field in zip(lines, fields, strict=True):
        assert all(f"`{name}`" in line for name in field.metadata["env"])
        assert line.rstrip(" |").endswith(".")


@given(
    st.dictionaries(st.sampled_from([f.metadata["env"][0] for f in dataclasses.fields(Settings)]), st.text())
)
def test_any_text_gives_settings_or_one_line_that_names_a_variable(env):
    with suppress(SettingsError):
        assert isinstance(Settings.from_env(env), Settings)
        return
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(env)
    assert "NUTGRAF_" in str(caught.value)
    assert "\n" not in str(caught.value)
