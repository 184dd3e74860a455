"""What an artifact has in place of parts of its libraries that import much and are never called.

Each has all that boto3, botocore and urllib3 ask of the part when they are imported and make a
client. A version that asks for more fails the tests of the artifact, which imports and makes all
of them.
"""

from pathlib import Path

STAND_INS = {
    # For S3 alone, with multiprocessing behind it; boto3 looks at one class.
    "s3transfer/__init__.py": "",
    "s3transfer/manager.py": "class TransferConfig:\n    UNSET_DEFAULT = None\n",
    # What help() shows of a client's methods, with a parser of HTML behind it.
    "botocore/docs/__init__.py": "",
    "botocore/docs/docstring.py": """\
class ClientMethodDocstring(str):
    def __new__(cls, *_, **__):
        return ""

PaginatorDocstring = WaiterDocstring = ClientMethodDocstring
""",
    "boto3/docs/__init__.py": "",
    "boto3/docs/docstring.py": """\
from botocore.docs.docstring import ClientMethodDocstring as ActionDocstring
""",
    # HTTP/2, which nobody switches on; it looks at versions, with zip files and more behind it.
    "urllib3/http2/__init__.py": "",
}
"""Their sources by path."""


def put_into(packages: Path) -> None:
    """Write them into the directory ``packages``, in which the others are gone."""
    for name, source in STAND_INS.items():
        file = packages / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(source, encoding="utf-8")
