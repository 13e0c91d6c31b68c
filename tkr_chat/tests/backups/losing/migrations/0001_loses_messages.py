from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("agents_app", "0001_initial")]
    operations = [migrations.RunSQL("DELETE FROM agents_app_message")]
