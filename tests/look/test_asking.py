from django import forms

from icg_cert.templatetags import asking


class Asked(forms.Form):
    email = forms.EmailField(help_text="Yours", widget=forms.EmailInput(attrs={"placeholder": "Email"}))


def test_control_drops_the_placeholder_and_keeps_the_ties() -> None:
    assert asking.control(Asked({"email": "x"})["email"]) == (
        '<input type="email" name="email" value="x" maxlength="320" required aria-invalid="true" '
        'aria-describedby="id_email_helptext id_email_error" id="id_email">'
    )


class Amiss(forms.Form):
    name = forms.CharField(label="Full name")
    pay = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect, label="How will you pay?")
    zone = forms.ChoiceField(choices=[("a", "A")])
    levels = forms.MultipleChoiceField(choices=[("a", "A")], widget=forms.CheckboxSelectMultiple)
    letter = forms.FileField()
    agree = forms.BooleanField(label="I agree.")
    email = forms.EmailField()
    hours = forms.DecimalField(max_value=60)


def test_errors_say_what_to_do() -> None:
    form = Amiss({"email": "x", "hours": "61"})
    told = [asking.summed_up(field, error) for field in form for error in field.errors]
    assert told == [
        "Full name: Please fill this in.",
        "How will you pay: Please choose one.",
        "Zone: Please choose one.",
        "Levels: Please choose at least one.",
        "Letter: Please choose a file.",
        "I agree: Please tick this to go on.",
        "E-mail address: Please write an address like name@example.org.",
        "Hours: Ensure this value is less than or equal to 60.",
    ]
