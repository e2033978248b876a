from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStatics(CompressedManifestStaticFilesStorage):
    """Static files under names that change with their content, also where one ES module imports another."""

    support_js_module_import_aggregation = True
