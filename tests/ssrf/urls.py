"""URLs that want to lead inside: ways to write this machine's addresses, private ones, and those where clouds keep credentials."""

HOSTS = """
127.0.0.1 2130706433 0x7f.1 0x7f000001 0x7F.0x0.0x0.0x1 0177.0.0.1 017700000001 127.1 127.0.1 0 0.0.0.0 127.0.0.1. 127.0.0.2
127.255.255.254 0x7f.0.0x0.1 127.0x000001 00000177.1 localhost localhost. LOCALHOST a.localhost １２７.０.０.１ 127。0。0。1 127｡0｡0｡1
①②⑦.⓪.⓪.① %31%32%37.0.0.1 127.0.0.%31 user@127.0.0.1 user:pass@127.0.0.1 api.test@127.0.0.1 api.test:8080@127.0.0.1
[::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::ffff:0:127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::]
169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 0xa9.0xfe.43518 169.254.170.2 [::ffff:169.254.169.254] [64:ff9b::a9fe:a9fe]
[fd00:ec2::254] [fe80::1] 100.100.100.200 100.64.0.1 10.0.0.1 167772161 172.16.0.1 192.168.0.1 192.168.0.1. 198.18.0.1 [fc00::1] [fec0::1]
224.0.0.1 255.255.255.255 metadata.google.internal inside.test INSIDE.test inside.test. private.test meta.test six.test mapped.test
translated.test alias.test bücher.test xn--bcher-kva.test 127.0.0.1.nip.test
""".split()


def urls(port):
    """All of them, for a port where nobody listens."""
    whole = [f"{scheme}://{host}:{port}/x" for scheme in ("http", "https") for host in HOSTS]
    here = f"127.0.0.1:{port}"
    odd = [
        f"//{here}/x", f"\\\\{here}\\x", f"/\\{here}/x", f"http:/\\{here}/x", f"http:{here}/x", f"http:\t//{here}/x", f" http://{here}/x",
        f"http:\\\\{here}\\x", f"hTTp:///{here}/x", f"http://api.test:8080#@{here}/x", f"http://api.test:8080\\@{here}/x",
        f"http://{here}#api.test:8080", f"http://{here}?api.test:8080", f"@{here}/x", f":80@{here}/x", f"#@{here}/x", f"?@{here}/x",
        f"..//{here}/x", f"%2e%2e/%2f%2f{here}/x", f"%0d%0aHost: {here}", f"\r\nHost: {here}", f"gopher://{here}/_GET",
        f"file://{here}/etc/passwd", "file:///etc/passwd", f"ftp://{here}/x", f"dict://{here}/x", f"ws://{here}/x", f"unix://{here}/x",
        f"jar:http://{here}!/x", f"javascript://{here}/%0aalert(1)", f"data:text/plain,http://{here}",
    ]
    return whole + odd
