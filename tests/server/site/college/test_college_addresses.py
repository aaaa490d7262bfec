"""Mail addresses of colleges: one mailbox a person however it is spelled, the college of a department, nothing that a header could take."""

import pytest

from server.site.college.college_addresses import CollegeAddress, NotCollege, college_of


@pytest.mark.parametrize(
    ("text", "domain", "mailbox"),
    [
        ("ola@uio.no", "uio.no", "ola@uio.no"),
        (" Ola.Nordmann+x@STUDENT.uio.no. ", "uio.no", "ola.nordmann@student.uio.no"),
        ("ann@cl.cam.ac.uk", "cam.ac.uk", "ann@cl.cam.ac.uk"),
    ],
)
def test_an_address_has_its_college_and_one_mailbox(text: str, domain: str, mailbox: str) -> None:
    found = CollegeAddress(text)
    assert (found.domain, found.mailbox) == (domain, mailbox)


@pytest.mark.parametrize(
    "text",
    [
        "", "ola", "@uio.no", "ola@", "ola@gmail.com", "ola@uio.no\r\nBcc: all@uio.no", "ola kari@uio.no", "<ola>@uio.no",
        "o" * 65 + "@uio.no", "ola@" + "a." * 130 + "uio.no", "ola@uio..no", "ola@-uio.no",
    ],
)  # fmt: skip
def test_what_is_no_address_at_a_college_is_refused(text: str) -> None:
    with pytest.raises(NotCollege):
        CollegeAddress(text)


def test_an_ending_that_many_share_is_no_college() -> None:
    with pytest.raises(NotCollege):
        college_of("ac.uk")
