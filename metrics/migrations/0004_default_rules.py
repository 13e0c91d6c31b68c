from django.db import migrations

from metrics.default_rules import DEFAULT_RULES


def add_rules(apps, schema_editor):
    rules = apps.get_model("metrics", "AlertRule").objects.using(schema_editor.connection.alias)
    for rule in DEFAULT_RULES:
        rules.get_or_create(name=rule["name"], defaults=rule)


class Migration(migrations.Migration):

    dependencies = [("metrics", "0003_alerts")]

    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
