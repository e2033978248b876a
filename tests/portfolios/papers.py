"""Documents that are more than paper: with scripts, with other files inside, protected, or telling of their author."""

import warnings
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import docx
import pikepdf
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.portfolios import files

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def action(**entries: Any) -> pikepdf.Dictionary:
    """A dictionary of a PDF. A text that begins with a slash is a name."""
    named = {key: pikepdf.Name(value) if str(value).startswith("/") else value for key, value in entries.items()}
    return pikepdf.Dictionary(**named)


def saved(pdf: pikepdf.Pdf, **how: Any) -> bytes:
    out = BytesIO()
    pdf.save(out, **how)
    return out.getvalue()


def pdf_with(**root: Any) -> bytes:
    """One page, and these in its catalogue."""
    with pikepdf.open(BytesIO(files.pdf())) as pdf:
        for key, value in root.items():
            pdf.Root[f"/{key}"] = value
        return saved(pdf)


def pdf_with_a_note(**entries: Any) -> bytes:
    with pikepdf.open(BytesIO(files.pdf())) as pdf:
        note = action(**{"Type": "/Annot", "Subtype": "/Text", "Rect": [0, 0, 20, 20], **entries})
        pdf.pages[0].Annots = pikepdf.Array([pdf.make_indirect(note)])
        if "FT" in entries:
            pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pdf.pages[0].Annots)
        return saved(pdf)


def pdf_with_an_attachment() -> bytes:
    with pikepdf.open(BytesIO(files.pdf())) as pdf:
        pdf.attachments["grades.xlsx"] = pikepdf.AttachedFileSpec(pdf, b"grades", filename="grades.xlsx")
        return saved(pdf)


def locked_for_printing() -> bytes:
    """Opens without a password, and forbids what its owner's password would allow."""
    with pikepdf.open(BytesIO(files.pdf())) as pdf:
        return saved(pdf, encryption=pikepdf.Encryption(user="", owner="secret"))


def locked_by_a_program() -> bytes:
    """Opens in one maker's programs alone."""
    return locked_for_printing().replace(b"/Filter /Standard", b"/Filter /Somebody")


def with_a_password(archive: bytes) -> bytes:
    """The flag of an encrypted member in both of its heads; zipfile itself cannot encrypt."""
    body = bytearray(archive)
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    return bytes(body)


def with_two_of(archive: bytes, name: str) -> bytes:
    out = BytesIO(archive)
    with warnings.catch_warnings(), ZipFile(out, "a") as again:
        warnings.simplefilter("ignore")
        again.writestr(name, "<other/>")
    return out.getvalue()


# ---- Documents that tell of Ada Abara wherever a program may note her


def photograph(orientation: int = 6) -> bytes:
    """A small JPEG as a telephone writes it: by whom, where, which way up, with a remark and a second file behind."""
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = orientation, "Ada Abara"
    exif.get_ifd(0x8825)[1] = "N"
    out = BytesIO()
    Image.new("RGB", (8, 4), "teal").save(out, "JPEG", exif=exif, comment=b"by Ada Abara", progressive=True)
    return out.getvalue() + b"\xff\xd8 Ada Abara \xff\xd9"


def drawing() -> bytes:
    notes = PngInfo()
    notes.add_text("Author", "Ada Abara")
    notes.add_itxt("XML:com.adobe.xmp", "<x>Ada Abara</x>", zip=True)
    out = BytesIO()
    Image.new("RGB", (8, 4), "teal").save(out, "PNG", pnginfo=notes)
    return out.getvalue()


WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
WORD_2012 = 'xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml"'
RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CHANGED = (
    '<w:p><w:ins w:id="1" w:author="Ada Abara" w:date="2027-05-01T10:00:00Z"><w:r><w:t>Put in.</w:t></w:r></w:ins>'
    '<w:del w:id="2" w:author="Ada Abara"><w:r><w:delText>Taken out.</w:delText></w:r></w:del></w:p>'
)


def word_of_ada() -> bytes:
    """As Word leaves it: properties, a comment, tracked changes, people, a template, a thumbnail, a photograph."""
    document, out = docx.Document(), BytesIO()
    properties = document.core_properties
    properties.author = properties.last_modified_by = "Ada Abara"
    properties.keywords = "Ada Abara"
    run = document.add_paragraph("My commentary.").runs[0]
    document.add_comment(run, text="Well said.", author="Ada Abara", initials="AA")
    document.add_picture(BytesIO(photograph()))
    document.add_picture(BytesIO(drawing()))
    document.save(out)
    return rezipped_with(
        out.getvalue(),
        {
            "docProps/app.xml": "<Properties xmlns='http://schemas.openxmlformats.org/officeDocument/2006/"
            "extended-properties'><Company>Abara Coaching</Company><Manager>Abara</Manager></Properties>",
            "docProps/custom.xml": "<Properties xmlns='http://schemas.openxmlformats.org/officeDocument/2006/"
            "custom-properties'><property name='Owner'>Ada Abara</property></Properties>",
            "docProps/thumbnail.jpeg": photograph(),
            "customXml/item1.xml": "<people><person>Ada Abara</person></people>",
            "word/people.xml": f'<w15:people {WORD_2012}><w15:person w15:author="Ada Abara"><w15:presenceInfo '
            'w15:providerId="AD" w15:userId="S::abara@example.org"/></w15:person></w15:people>',
            "word/settings.xml": f"<w:settings {WORD}><w:zoom w:percent='100'/><w:docVars><w:docVar w:name='u' "
            "w:val='Ada Abara'/></w:docVars></w:settings>",
            "word/_rels/settings.xml.rels": f"<Relationships {RELATIONS}><Relationship Id='rId1' Type='{KINDS}/"
            "attachedTemplate' Target='file:///C:/Users/Abara/Normal.dotm' TargetMode='External'/></Relationships>",
            "word/embeddings/book.xlsx": files.zipped({"docProps/core.xml": "<creator>Ada Abara</creator>"}),
            "_xmlsignatures/sig1.xml": "<Signature>Ada Abara</Signature>",
        },
        {"word/document.xml": (b"<w:sectPr", CHANGED.encode() + b"<w:sectPr")},
    )


ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:config="urn:oasis:names:tc:opendocument:xmlns:config:1.0" '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
)


def odt_of_ada() -> bytes:
    """As LibreOffice leaves it: meta data, a comment, tracked changes, fields, a printer, a thumbnail, a version."""
    note = "<office:annotation><dc:creator>Ada Abara</dc:creator><meta:creator-initials>AA</meta:creator-initials>"
    change = (
        '<text:changed-region text:id="c1"><text:deletion><office:change-info><dc:creator>Ada Abara</dc:creator>'
        "</office:change-info><text:p>Taken out.</text:p></text:deletion></text:changed-region>"
    )
    return files.rezipped(
        files.odt(),
        {
            "content.xml": f"<office:document-content {ODF}><office:body><office:text><text:tracked-changes>{change}"
            f"</text:tracked-changes><text:p>My commentary.{note}<text:p>Well said.</text:p></office:annotation>"
            '<text:change text:change-id="c1"/> with one more'
            "<text:author-name>Ada Abara</text:author-name> and more</text:p>"
            '<draw:image xlink:href="Pictures/photo.jpg"/><draw:image xlink:href="file:///home/abara/photo.jpg"/>'
            '<text:a xlink:href="https://example.org/">A link</text:a>'
            "</office:text></office:body></office:document-content>",
            "meta.xml": f"<office:document-meta {ODF}><office:meta><meta:initial-creator>Ada Abara"
            "</meta:initial-creator><dc:creator>Ada Abara</dc:creator><meta:user-defined meta:name='Owner'>Abara"
            "</meta:user-defined></office:meta></office:document-meta>",
            "settings.xml": f"<office:document-settings {ODF}><config:config-item config:name='PrinterName'>Abara's "
            "printer</config:config-item></office:document-settings>",
            "META-INF/manifest.xml": f"<manifest:manifest {ODF}><manifest:file-entry manifest:full-path='content.xml'/>"
            "<manifest:file-entry manifest:full-path='Thumbnails/thumbnail.png'/></manifest:manifest>",
            "META-INF/documentsignatures.xml": "<signatures>Ada Abara</signatures>",
            "Thumbnails/thumbnail.png": drawing(),
            "Pictures/photo.jpg": photograph(),
            "VersionList.xml": "<list><entry creator='Ada Abara'/></list>",
        },
    )


def pdf_of_ada() -> bytes:
    """As Acrobat leaves it: Info, XMP everywhere, a note, a thumbnail, private data, a signature."""
    with pikepdf.open(BytesIO(files.pdf())) as pdf:
        pdf.docinfo["/Author"], pdf.docinfo["/Title"] = "Ada Abara", "By Ada Abara"
        xmp = pdf.make_indirect(pikepdf.Stream(pdf, b"<x:xmpmeta>Ada Abara</x:xmpmeta>", Type=pikepdf.Name.Metadata))
        page, picture = pdf.pages[0], pikepdf.Stream(pdf, photograph(), Filter=pikepdf.Name.DCTDecode, Metadata=xmp)
        picture.Subtype, picture.Width, picture.Height = pikepdf.Name.Image, 8, 4
        picture.ColorSpace, picture.BitsPerComponent = pikepdf.Name.DeviceRGB, 8
        pdf.Root.Metadata, page.Metadata, page.Thumb = xmp, xmp, pdf.make_indirect(pikepdf.Stream(pdf, b"Ada Abara"))
        page.PieceInfo = action(Illustrator=action(Private="Ada Abara"))
        page.Resources.XObject = pikepdf.Dictionary(Im1=picture)
        note = action(Type="/Annot", Subtype="/Text", Rect=[0, 0, 9, 9], T="Ada Abara", Contents="Well said.")
        field = action(Type="/Annot", Subtype="/Widget", Rect=[0, 0, 9, 9], FT="/Tx", T="question", V="An answer")
        signed = action(Type="/Annot", Subtype="/Widget", Rect=[0, 0, 9, 9], FT="/Sig", T="signature")
        signed.V = pdf.make_indirect(action(Type="/Sig", Name="Ada Abara"))
        page.Annots = pikepdf.Array([pdf.make_indirect(one) for one in (note, field, signed)])
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([page.Annots[1], page.Annots[2]]))
        return saved(pdf)


def rezipped_with(archive: bytes, extra: dict[str, bytes | str], edits: dict[str, tuple[bytes, bytes]]) -> bytes:
    """The same archive with members added, and in some of them one text in place of another."""
    with ZipFile(BytesIO(archive)) as old:
        edited: dict[str, bytes | str] = {name: old.read(name).replace(*edit, 1) for name, edit in edits.items()}
    return files.rezipped(archive, {**edited, **extra})


def laid_open(body: bytes) -> bytes:
    """All that stands in a document, unpacked, for a search by bytes."""
    if body.startswith(b"PK"):
        with ZipFile(BytesIO(body)) as archive:
            return b"\n".join(name.encode() + archive.read(name) for name in archive.namelist())
    with pikepdf.open(BytesIO(body)) as pdf:
        plain = {"compress_streams": False, "stream_decode_level": pikepdf.StreamDecodeLevel.generalized}
        return body + saved(pdf, qdf=True, object_stream_mode=pikepdf.ObjectStreamMode.disable, **plain)


# ---- Documents that a word processor really opens


def real_odt(text: str, picture: str = "") -> bytes:
    """One paragraph, and a picture that is to be fetched from an address."""
    space = f'{ODF} xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"'
    frame = (
        f'<draw:frame svg:width="2cm" svg:height="2cm"><draw:image xlink:href="{picture}" xlink:type="simple" '
        'xlink:show="embed" xlink:actuate="onLoad"/></draw:frame>'
    )
    entry = "<manifest:file-entry manifest:full-path={!r} manifest:media-type={!r}/>".format
    return files.rezipped(
        files.odt(),
        {
            "content.xml": f'<office:document-content {space} office:version="1.2"><office:body><office:text><text:p>'
            f"{text}{frame if picture else ''}</text:p></office:text></office:body></office:document-content>",
            "META-INF/manifest.xml": f'<manifest:manifest {ODF} manifest:version="1.2">{entry("/", files.ODT)}'
            f"{entry('content.xml', 'text/xml')}</manifest:manifest>",
        },
    )


def pages(number: int) -> bytes:
    """A Word file with a break between its pages."""
    document, out = docx.Document(), BytesIO()
    for page in range(1, number + 1):
        document.add_paragraph(f"Page {page}")
        if page < number:
            document.add_page_break()
    document.save(out)
    return out.getvalue()
