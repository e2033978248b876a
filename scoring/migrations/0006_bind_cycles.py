from django.db import migrations


def bind(apps, schema_editor):
    """Cycles whose scoring has begun keep the policy they were scored by: their release's, else the newest."""
    ScoringPolicy = apps.get_model("scoring", "ScoringPolicy")
    CyclePolicy = apps.get_model("scoring", "CyclePolicy")
    Assignment = apps.get_model("scoring", "Assignment")
    Release = apps.get_model("scoring", "Release")
    newest = ScoringPolicy.objects.order_by("-version").first()
    since = {}
    for cycle, at in Assignment.objects.order_by("-assigned_at").values_list("entry__cycle", "assigned_at"):
        since[cycle] = (newest.pk, at)
    for cycle, policy, at in Release.objects.values_list("cycle", "policy", "prepared_at"):
        since[cycle] = (policy, since[cycle][1] if cycle in since else at)
    CyclePolicy.objects.bulk_create(
        CyclePolicy(cycle_id=cycle, policy_id=policy, bound_at=at) for cycle, (policy, at) in since.items()
    )


class Migration(migrations.Migration):

    dependencies = [
        ('scoring', '0005_assigning'),
    ]

    operations = [migrations.RunPython(bind, migrations.RunPython.noop)]
