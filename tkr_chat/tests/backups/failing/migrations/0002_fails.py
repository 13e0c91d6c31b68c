from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("failing", "0001_loses_everything")]
    operations = [migrations.RunSQL("INSERT INTO a_table_that_is_not_there VALUES (1)")]
