from babel.messages.pofile import read_po

from deploy import messages

CODE = 'title = N_("Not found")\ndetail = N_("There is nothing here.")\n'


def package(tmp_path, code):
    folder = tmp_path / "shop"
    folder.mkdir(exist_ok=True)
    (folder / "errors.py").write_text(code)
    return folder


def catalogue_of(folder):
    with (folder / "locales/fr/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file)


def translate(folder, text, translation):
    path = folder / "locales/fr/LC_MESSAGES/messages.po"
    path.write_text(
        path.read_text().replace(f'"{text}"\nmsgstr ""', f'"{text}"\nmsgstr "{translation}"')
    )


def test_new_messages_are_added_and_reported(tmp_path):
    folder = package(tmp_path, CODE)

    assert set(messages.update(folder)) == {"Not found", "There is nothing here."}
    assert {m.id for m in catalogue_of(folder) if m.id} == {"Not found", "There is nothing here."}


def test_translation_is_kept_and_a_message_that_is_gone_is_dropped(tmp_path):
    folder = package(tmp_path, CODE)
    messages.update(folder)
    translate(folder, "Not found", "Introuvable")
    package(tmp_path, 'title = N_("Not found")\n')

    assert messages.update(folder) == []
    assert {m.id: m.string for m in catalogue_of(folder) if m.id} == {"Not found": "Introuvable"}


def test_second_update_changes_nothing(tmp_path):
    folder = package(tmp_path, CODE)
    messages.update(folder)
    path = folder / "locales/fr/LC_MESSAGES/messages.po"
    first = path.read_bytes()

    messages.update(folder)

    assert path.read_bytes() == first


def test_package_without_messages_gets_no_catalogue(tmp_path):
    folder = package(tmp_path, "x = 1\n")

    assert messages.update(folder) == []
    assert not (folder / "locales").exists()
