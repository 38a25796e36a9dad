"""What a home has chosen, where it lies, and which profile it builds with."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import ProfileError
from resources.home import CHECKOUT, Home, find_home, prepare
from resources.profile import ActiveProfile, load_profile
from resources.settings import Settings, load_settings, save_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A home's lookbook.toml, not there yet."""
    return tmp_path / "lookbook.toml"


# --- lookbook.toml ---------------------------------------------------------------------------------------------------


def test_without_a_file_the_sample_shop_is_built(file: Path) -> None:
    """With the embedded models; so it is with an empty file."""
    assert load_settings(file) == Settings(profile="embedded", feed="sample")
    file.write_bytes(b"")
    assert load_settings(file) == Settings()


def test_reads_what_was_chosen(file: Path) -> None:
    """Either or both; a BOM and Windows' line ends are no harm."""
    file.write_bytes(b'\xef\xbb\xbf# mine\r\nfeed = "shop/feed.toml" # the shop\r\n')
    assert load_settings(file) == Settings(feed="shop/feed.toml")
    file.write_text("profile = 'mine.toml'\nfeed = 'photos'\n", "utf-8")
    assert load_settings(file) == Settings("mine.toml", "photos")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b'profil = "x"', r"unknown key 'profil'; known: profile$"),
        (b"zzz = 1", r"unknown key 'zzz'; known: profile, feed, refresh, limits, storage$"),
        (b'[feed]\npath = "x"', r'feed must be text, such as feed = "sample"'),
        (b"refresh = 3", r"refresh must be a table, \[refresh\]$"),
        (b"limits = 3", r"limits must be a table, \[limits\]$"),
        (b"[[storage]]\npostgres = true", r"storage must be a table, \[storage\]$"),
        (b'[storage]\npostgres = "yes"', r"\[storage\] postgres: Input should be a valid boolean \(got 'yes'\)"),
        (b"[limits]\nmost = 3", r"\[limits\] unknown key 'most'; "),
        (b"profile = 3", r'profile must be text, such as profile = "embedded"'),
        (b'feed = "  "', r'feed must be text, such as feed = "sample"'),
        (b'feed = "a"\nfeed = "b"', r'not TOML: Key "feed" already exists'),
        (b"feed = ", r"not TOML: "),
        (b"feed", r"not TOML: "),
        (b"\xff\xfe", r"not TOML: .*utf-8"),
        (b"a = " + b"[" * 3000, r"not TOML: "),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value)[:20],
)
def test_tells_what_is_wrong(file: Path, content: bytes, match: str) -> None:
    """With the file's path, in one line."""
    file.write_bytes(content)
    with pytest.raises(ProfileError, match=match) as raised:
        load_settings(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert "\n" not in str(raised.value)


def test_a_folder_in_its_place_is_told(file: Path) -> None:
    """It can't be read."""
    file.mkdir()
    with pytest.raises(ProfileError, match=r"lookbook\.toml: can't be read .Is a directory"):
        load_settings(file)


def test_saving_leaves_comments(file: Path) -> None:
    """And puts the new choice where the old one stood."""
    file.write_text('# my shop\nprofile = "embedded" # small\n\n# the feed\nfeed = "a.csv"\n', "utf-8")
    save_settings(file, Settings("embedded", "b.csv"))
    assert file.read_text("utf-8") == '# my shop\nprofile = "embedded" # small\n\n# the feed\nfeed = "b.csv"\n'
    file.write_text('feed = "a.csv"\n[limits] # mine\n', "utf-8")
    save_settings(file, Settings("embedded", "b.csv"))
    assert file.read_text("utf-8") == 'feed = "b.csv"\nprofile = "embedded"\n\n[limits] # mine\n'


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(feed=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_path_is_saved_and_read(file: Path, feed: str) -> None:
    """Quotes, backslashes of Windows, emoji, control characters."""
    file.unlink(missing_ok=True)
    save_settings(file, Settings("embedded", feed))
    assert load_settings(file) == Settings("embedded", feed)
    save_settings(file, Settings("embedded", "sample"))
    assert load_settings(file) == Settings()


# --- homes -----------------------------------------------------------------------------------------------------------


def test_the_home_is_the_one_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else LOOKBOOK_HOME, else the checkout; made absolute, `~` understood, needn't be there."""
    environment = {"LOOKBOOK_HOME": str(tmp_path / "b")}
    assert find_home(tmp_path / "a", environment) == Home(tmp_path / "a")
    assert find_home(None, environment) == Home(tmp_path / "b")
    assert find_home("", {"LOOKBOOK_HOME": ""}) == find_home(None, {}) == Home(CHECKOUT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    assert find_home("shop", {}) == Home(tmp_path / "shop")
    assert find_home("~/shop", {}) == Home(tmp_path / "user" / "shop")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_home(tmp_path: Path) -> None:
    """Told before anything is written."""
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(ProfileError, match=r"/a: is a file; a home is a folder, and is made where there is none"):
        find_home(tmp_path / "a", {})


def test_every_folder_of_a_home_is_inside(tmp_path: Path) -> None:
    """And no two are one: two homes never touch."""
    home = Home(tmp_path / "a")
    folders = [home.settings_file, home.data_lake, home.models, home.bundles, home.dagster]
    assert {folder.parent for folder in folders} == {tmp_path / "a"}
    assert len(set(folders)) == 5


def test_prepares_a_home(tmp_path: Path) -> None:
    """Its own Dagster storage, telemetry off; this process and its children are told; the checkout is left alone."""
    noted = (CHECKOUT / ".env").exists()
    home, environment = Home(tmp_path / "deep" / "shop"), {"OTHER": "1"}
    prepare(home, environment)
    assert environment == {
        "OTHER": "1", "LOOKBOOK_HOME": str(home.root), "DAGSTER_HOME": str(home.root / ".dagster"),
    }  # fmt: skip
    instance = home.dagster / "dagster.yaml"
    assert "telemetry:\n  enabled: false" in instance.read_text("utf-8")
    instance.write_text("# changed by its owner\n", "utf-8")
    prepare(home, environment)
    assert instance.read_text("utf-8") == "# changed by its owner\n"
    assert (CHECKOUT / ".env").exists() == noted


# --- profiles on disk ------------------------------------------------------------------------------------------------


def test_finds_a_profile_that_ships(tmp_path: Path) -> None:
    """By its name, through the resource too."""
    assert load_profile("embedded", tmp_path).name == "embedded"
    assert ActiveProfile(profile_name="embedded", home=str(tmp_path)).read().name == "embedded"


def test_finds_a_profile_of_the_home(tmp_path: Path) -> None:
    """By its file, relative to the home or not; a BOM is no harm."""
    text = (CHECKOUT / "resources" / "profiles" / "embedded.toml").read_text("utf-8")
    (tmp_path / "mine.toml").write_text("\ufeff" + text.replace('name = "embedded"', 'name = "mine"'), "utf-8")
    assert load_profile("mine.toml", tmp_path).name == "mine"
    assert load_profile(str(tmp_path / "mine.toml"), Path("/")).name == "mine"


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("embeded", r"^no profile 'embeded': did you mean 'embedded'\? there are .*embedded.*, or name a \.toml file$"),
        ("zzz", r"^no profile 'zzz': there are .*embedded"),
        ("", r"^no profile ''"),
        ("../profiles/embedded", r"^no profile '\.\./profiles/embedded'"),
        ("none.toml", r"/none\.toml: no such profile file$"),
    ],
)
def test_a_profile_that_is_not_there_is_told(tmp_path: Path, name: str, match: str) -> None:
    """With the nearest, or the file that was looked for."""
    with pytest.raises(ProfileError, match=match):
        load_profile(name, tmp_path)


def test_a_profile_that_is_not_text_is_told(tmp_path: Path) -> None:
    """UTF-16 as an editor saves it."""
    (tmp_path / "a.toml").write_bytes('name = "a"'.encode("utf-16"))
    with pytest.raises(ProfileError, match=r"a\.toml: can't be read as UTF-8 text"):
        load_profile("a.toml", tmp_path)


def test_a_broken_profile_names_its_file(tmp_path: Path) -> None:
    """And the key."""
    (tmp_path / "a.toml").write_text('name = "a"\n', "utf-8")
    with pytest.raises(ProfileError, match=rf"^{tmp_path}/a\.toml: key 'description' is missing"):
        load_profile("a.toml", tmp_path)


# --- [refresh] and [storage] -----------------------------------------------------------------------------------------


def test_reads_when_to_refresh(file: Path) -> None:
    """What is left out has its default; nothing refreshes itself unless it is said."""
    assert (Settings().refresh.cron, Settings().refresh.watch_feed, Settings().refresh.automation) == (
        None,
        False,
        False,
    )
    file.write_text('[refresh]\ncron = "30 2 * * 1-5"\ntime_zone = "Europe/Berlin"\nwatch_feed = true\n', "utf-8")
    refresh = load_settings(file).refresh
    assert (refresh.cron, refresh.time_zone, refresh.watch_feed) == ("30 2 * * 1-5", "Europe/Berlin", True)
    assert (refresh.fresh_hours, refresh.watch_every_s) == (26, 30)


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ('cron = "half past two"', r'\[refresh\] cron: must be five cron fields, such as "30 2 \* \* \*"'),
        ('cron = "61 2 * * *"', r"\[refresh\] cron: must be five cron fields"),
        ('cron = "@daily"', r"\[refresh\] cron: must be five cron fields"),
        ('cron = "30 2 * * * 0"', r"\[refresh\] cron: must be five cron fields"),
        ('cron = "30 2 31 2 *"', r"\[refresh\] cron: names a day that never comes"),
        ('cron = "30 2 31 4,6 *"', r"\[refresh\] cron: names a day that never comes"),
        ("watch_feed = 1", r"\[refresh\] watch_feed: Input should be a valid boolean"),
        ('automation = "on"', r"\[refresh\] automation: Input should be a valid boolean"),
        ('ui_url = "javascript:x"', r"\[refresh\] ui_url: must be an http or https address"),
        ('ui_url = "http://"', r"\[refresh\] ui_url: must be an http or https address"),
        ('ui_url = "http://["', r"\[refresh\] ui_url: must be an http or https address"),
        ('time_zone = "Berlin"', r'\[refresh\] time_zone: must be an IANA time zone, such as "Europe/Berlin"'),
        ('time_zone = "../etc"', r"\[refresh\] time_zone: must be an IANA time zone"),
        ("watch_every_s = 0", r"\[refresh\] watch_every_s: Input should be greater than or equal to 1"),
        ("fresh_hours = 0", r"\[refresh\] fresh_hours: Input should be greater than 0"),
        ("crom = 1", r"\[refresh\] unknown key 'crom'; did you mean 'cron'\?"),
    ],
)
def test_tells_what_is_wrong_with_a_refresh(file: Path, line: str, match: str) -> None:
    """Before anything runs."""
    file.write_text(f"[refresh]\n{line}\n", "utf-8")
    with pytest.raises(ProfileError, match=match):
        load_settings(file)
