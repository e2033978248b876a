import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('candidates', '0005_impartiality'),
        ('portfolios', '0005_processing'),
        ('scoring', '0007_certificates'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Appeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Open'), ('decided', 'Decided'), ('withdrawn', 'Withdrawn')], default='open', max_length=10)),
                ('reason', models.TextField(help_text="The candidate's own words; no reader sees them")),
                ('asked_at', models.DateTimeField()),
                ('decide_by', models.DateTimeField(help_text='The first instant that is later than what the candidate was told')),
                ('outcome', models.CharField(blank=True, choices=[('confirmed', 'Score confirmed'), ('raised', 'Score raised')], max_length=10)),
                ('numerator', models.PositiveIntegerField(blank=True, help_text='What the readings come to together', null=True)),
                ('denominator', models.PositiveIntegerField(blank=True, null=True)),
                ('words', models.TextField(blank=True, help_text='What staff say to the candidate with the decision')),
                ('ended_at', models.DateTimeField(blank=True, help_text='When it was decided or taken back', null=True)),
            ],
            options={
                'ordering': ['decide_by', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('proposed', 'Proposed'), ('approved', 'Approved'), ('withdrawn', 'Withdrawn')], default='proposed', max_length=10)),
                ('scores', models.JSONField(help_text='Entry to its right score, as [numerator, denominator]')),
                ('reason', models.TextField(help_text='The candidate reads it')),
                ('proposed_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, help_text='When it was approved or taken back', null=True)),
            ],
            options={
                'ordering': ['-proposed_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='RetakeWish',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('said_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['factor'],
            },
        ),
        migrations.AddField(
            model_name='assignment',
            name='due_at',
            field=models.DateTimeField(blank=True, help_text="Where it is not the release of the entry's cycle", null=True),
        ),
        migrations.AddField(
            model_name='result',
            name='replaces',
            field=models.OneToOneField(blank=True, help_text='An earlier one', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='scoring.result'),
        ),
        migrations.AddField(
            model_name='scoringpolicy',
            name='appeal_days',
            field=models.PositiveSmallIntegerField(default=30, help_text='Whole days after the day on which the score was told', verbose_name='days to ask for a score to be verified'),
        ),
        migrations.AddField(
            model_name='scoringpolicy',
            name='appeal_decision_days',
            field=models.PositiveSmallIntegerField(default=45, help_text='What candidates are told; whole days after the day of asking', verbose_name='days to decide on it'),
        ),
        migrations.AddField(
            model_name='scoringpolicy',
            name='appeal_fee_minor',
            field=models.PositiveIntegerField(default=0, help_text='The portal takes none yet, so this stays 0', verbose_name='fee for it, in cents'),
        ),
        migrations.AlterField(
            model_name='assignment',
            name='role',
            field=models.CharField(choices=[('first', 'First reading'), ('second', 'Second reading'), ('adjudication', 'Adjudication'), ('appeal', 'Reading for an appeal'), ('appeal_lead', 'Adjudication of an appeal')], max_length=15),
        ),
        migrations.AlterField(
            model_name='factorscore',
            name='how',
            field=models.CharField(choices=[('single', 'One scorer'), ('averaged', 'Two scorers, averaged'), ('adjudicated', 'Decided by a lead scorer'), ('verified', 'Raised by an appeal'), ('corrected', 'Corrected')], max_length=15),
        ),
        migrations.AlterField(
            model_name='result',
            name='superseded_reason',
            field=models.TextField(blank=True, help_text='The candidate reads it'),
        ),
        migrations.AddConstraint(
            model_name='scoringpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('appeal_fee_minor', 0)), name='policy_appeals_are_free'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='appeal',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='portfolios.entry'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='hold',
            field=models.ForeignKey(help_text="Keeps the entry's files", on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portfolios.hold'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='result',
            field=models.ForeignKey(blank=True, help_text='Made by a raised score', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scoring.result'),
        ),
        migrations.AddField(
            model_name='appeal',
            name='score',
            field=models.ForeignKey(help_text='As it stood when it was asked for', on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='scoring.factorscore'),
        ),
        migrations.AddField(
            model_name='correction',
            name='approved_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='correction',
            name='made',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scoring.result'),
        ),
        migrations.AddField(
            model_name='correction',
            name='proposed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='correction',
            name='result',
            field=models.ForeignKey(help_text='What it replaces', on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='scoring.result'),
        ),
        migrations.AddField(
            model_name='retakewish',
            name='cycle',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='candidates.cycle'),
        ),
        migrations.AddField(
            model_name='retakewish',
            name='factor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portfolios.factor'),
        ),
        migrations.AddField(
            model_name='retakewish',
            name='registration',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='retake_wishes', to='candidates.registration'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'withdrawn'), _negated=True), fields=('entry',), name='appeal_once'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'open'), ('ended_at__isnull', False), _connector='OR'), name='appeal_end_has_time'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'decided'), _negated=True), models.Q(('decided_by__isnull', False), ('denominator__gt', 0), ('numerator__isnull', False), models.Q(('outcome', ''), _negated=True)), _connector='OR'), name='appeal_decided_has_outcome'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'raised'), ('result__isnull', False)), models.Q(models.Q(('outcome', 'raised'), _negated=True), ('result', None)), _connector='OR'), name='appeal_raised_has_result'),
        ),
        migrations.AddConstraint(
            model_name='correction',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'proposed')), fields=('result',), name='correction_one_proposed'),
        ),
        migrations.AddConstraint(
            model_name='correction',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by', None), models.Q(('approved_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='correction_takes_two'),
        ),
        migrations.AddConstraint(
            model_name='correction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), models.Q(('approved_by__isnull', False), ('ended_at__isnull', False), ('made__isnull', False)), _connector='OR'), name='correction_approved_has_result'),
        ),
        migrations.AddConstraint(
            model_name='retakewish',
            constraint=models.UniqueConstraint(fields=('registration', 'cycle', 'factor'), name='retake_wish_once'),
        ),
    ]
