"""The authority of an installation: made once, its certificates anew each time, its key private."""

import ssl
import stat

from cryptography import x509

from deploy.certificates import HOLDERS, write_all


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def serial_of(path):
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


def test_each_holder_has_a_certificate_that_the_authority_vouches_for(tmp_path):
    write_all(tmp_path / "made")

    authority = x509.load_pem_x509_certificate((tmp_path / "made" / "authority.crt").read_bytes())
    for holder in HOLDERS:
        folder = tmp_path / "made" / holder
        certificate = x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes())
        certificate.verify_directly_issued_by(authority)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert holder in names.get_values_for_type(x509.DNSName)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        context.load_verify_locations(folder / "ca.crt")


def test_nobody_else_reaches_the_keys(tmp_path):
    """The folders within are given to containers one by one, whose users are others."""
    write_all(tmp_path / "made")

    assert mode_of(tmp_path / "made") == 0o700
    assert mode_of(tmp_path / "made" / "authority.key") == 0o600
    assert not list(tmp_path.glob("made/*/authority.key"))


def test_made_again_the_authority_stays_and_the_certificates_are_new(tmp_path):
    write_all(tmp_path / "made")
    authority = serial_of(tmp_path / "made" / "authority.crt")
    certificate = serial_of(tmp_path / "made" / "auth" / "tls.crt")

    write_all(tmp_path / "made")

    assert serial_of(tmp_path / "made" / "authority.crt") == authority
    assert serial_of(tmp_path / "made" / "auth" / "tls.crt") != certificate
