from django.db import migrations


class Migration(migrations.Migration):
    """It is not undone when the next one fails: each is a transaction of its own."""

    dependencies = [("agents_app", "0001_initial")]
    operations = [migrations.RunSQL("UPDATE agents_app_message SET text = 'spoilt'")]
