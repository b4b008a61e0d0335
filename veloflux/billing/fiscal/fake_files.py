"""The files of the fake provider's documents: they say that they are worth nothing. Pure."""

XML = """<?xml version="1.0" encoding="UTF-8"?>
<NFSe Id="{id}" ambiente="ficticio"><nNFSe>{number}</nNFSe><cVerif>{verification}</cVerif><vServ>{gross}</vServ></NFSe>
"""


def xml_of(id_: str, number: int, verification: str, gross: int) -> bytes:
    """A document as XML, its amount in major units; ids and numbers alone, so that nothing is to be escaped.

    >>> b"<vServ>45.74</vServ>" in xml_of("fis_1", 7, "A1", 4574)
    True
    """
    return XML.format(
        id=id_, number=number, verification=verification, gross=f"{gross // 100}.{gross % 100:02}"
    ).encode()


def pdf_of(sentence: str) -> bytes:
    """One page with a sentence, which has no parentheses and is in ASCII.

    >>> pdf_of("NFS-e 7").startswith(b"%PDF-1.4"), pdf_of("NFS-e 7").endswith(b"%%EOF")
    (True, True)
    """
    fonts = "<< /Font << /F1 4 0 R >> >>"
    drawn = f"BT /F1 12 Tf 50 780 Td ({sentence}) Tj ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources {fonts} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
    )
    text, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    return (
        f"{text}xref\n0 {size}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(text)}\n%%EOF"
    ).encode("ascii")
