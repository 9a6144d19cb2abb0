from tests.hl_dsl.cli.conftest import folder, hl  # noqa: F401 (fixtures)
