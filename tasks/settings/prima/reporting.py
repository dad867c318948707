"""`[prima.reporting]`: where PRIMA's figures for reports come from."""

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.section import Section


class PrimaReportingSettings(Section):
    """`[prima.reporting]`: a database (SQLAlchemy URL), or a folder of CSV/Parquet files (fsspec URL); or neither."""

    url: str = Field(
        default="", repr=False, description="SQLAlchemy URL; a password belongs in the secret PRIMA_REPORTING_PASSWORD"
    )
    folder: str = Field(default="", description="folder of files named after the extracts, such as dispatches.csv")
    queries: dict[str, str] = Field(default_factory=dict, description="SQL for an extract, instead of its default")
    lag_minutes: int = Field(default=0, ge=0, description="how old the reporting source may be against PRIMA itself")

    @field_validator("folder")
    @classmethod
    def _one_of_both(cls, folder: str, info: ValidationInfo) -> str:
        if folder and info.data.get("url"):
            raise ValueError("give url or folder, not both")
        return folder
