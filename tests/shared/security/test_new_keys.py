import base64

from shared.security.tokens import TokenSigner, new_private_key, public_jwks


def test_a_new_key_signs_and_is_another_each_time():
    one, other = new_private_key(), new_private_key()

    assert one.startswith("-----BEGIN PRIVATE KEY-----")
    assert TokenSigner(one).kid != TokenSigner(other).kid
    [public] = public_jwks(one)["keys"]
    assert len(base64.urlsafe_b64decode(public["n"] + "==")) * 8 == 2048
    assert public["e"] == "AQAB"
