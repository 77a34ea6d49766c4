// Settings that make a context, and those that do not: each refusal names its option, its file, and the way out.
#include "common/net/tls_context.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/unit/common/net/test_certificates.h"

using namespace vedette;

namespace {

using Side = TlsContext::Side;

std::string refusal(const TlsSettings& settings, Side side = Side::kServer) {
  const auto made = TlsContext::make(side, settings);
  return made ? "none" : made.error().text();
}

bool says(const std::string& text, std::initializer_list<std::string> parts) {
  for (const std::string& part : parts)
    if (text.find(part) == std::string::npos) {
      MESSAGE("missing '" << part << "' in: " << text);
      return false;
    }
  return true;
}

std::string own_file(const std::string& name, const std::string& text) {
  const std::string path = TestCertificates::file(name);
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

}  // namespace

TEST_CASE("a certificate, its key and an authority make a context for either side") {
  const TlsSettings settings = TestCertificates::settings("server");
  for (const Side side : {Side::kServer, Side::kClient}) {
    const auto made = TlsContext::make(side, settings);
    REQUIRE(made);
    CHECK((*made)->side() == side);
    CHECK((*made)->warnings().empty());
  }
}

TEST_CASE("an authority may be a folder, and a key may be encrypted") {
  TlsSettings settings = TestCertificates::settings("encrypted");
  settings.key_file_pass = "secret";
  settings.ca_cert_dir = TestCertificates::file("ca-dir");
  settings.ca_cert_file.clear();
  CHECK(refusal(settings) == "none");
  settings.key_file_pass = "wrong";
  CHECK(says(refusal(settings), {"tls-key-file '" + settings.key_file + "'", "tls-key-file-pass"}));
  settings.key_file_pass.clear();
  CHECK(says(refusal(settings), {"tls-key-file '", "tls-key-file-pass"}));
}

TEST_CASE("what is missing is told with the option that would name it") {
  CHECK(says(refusal({}), {"tls-cert-file: ", "tls-key-file"}));
  TlsSettings settings = TestCertificates::settings("server");
  settings.key_file.clear();
  CHECK(says(refusal(settings), {"tls-key-file: "}));
  settings = TestCertificates::settings("server");
  settings.ca_cert_file.clear();
  CHECK(says(refusal(settings), {"tls-ca-cert-file", "tls-ca-cert-dir", "tls-auth-clients no"}));
  CHECK(says(refusal(settings, Side::kClient), {"tls-ca-cert-file", "tls-replication"}));
  settings.auth_clients = TlsAuthClients::kOptional;
  CHECK(says(refusal(settings), {"tls-ca-cert-file"}));
  settings.auth_clients = TlsAuthClients::kNo;
  CHECK(refusal(settings) == "none");
}

TEST_CASE("a file that is no good is told with its name and the reason") {
  const TlsSettings good = TestCertificates::settings("server");
  TlsSettings settings = good;
  settings.cert_file = "/no/such/file";
  CHECK(says(refusal(settings), {"tls-cert-file '/no/such/file': No such file or directory"}));
  settings.cert_file = own_file("empty", "");
  CHECK(says(refusal(settings), {"tls-cert-file '" + settings.cert_file + "': the file is empty"}));
  settings.cert_file = own_file("text", "this is no certificate\n");
  CHECK(says(refusal(settings), {"tls-cert-file '" + settings.cert_file + "': no start line", "PEM"}));
  settings = good;
  settings.key_file = "/no/such/key";
  CHECK(says(refusal(settings), {"tls-key-file '/no/such/key': No such file or directory"}));
  settings.key_file = TestCertificates::file("client.key");
  CHECK(says(refusal(settings), {"tls-key-file '" + settings.key_file + "' does not belong to tls-cert-file '" + good.cert_file + "'"}));
  settings = good;
  settings.ca_cert_file = own_file("text", "nor is this\n");
  CHECK(says(refusal(settings), {"tls-ca-cert-file '" + settings.ca_cert_file + "': "}));
  settings = good;
  settings.dh_params_file = own_file("text", "nor this\n");
  CHECK(says(refusal(settings), {"tls-dh-params-file '" + settings.dh_params_file + "': ", "openssl dhparam"}));
  settings.dh_params_file = TestCertificates::file("dh.pem");
  CHECK(refusal(settings) == "none");
}

TEST_CASE("versions and ciphers are named as OpenSSL names them") {
  TlsSettings settings = TestCertificates::settings("server");
  settings.protocols = "TLSv1.2 tlsv1.3";
  CHECK(refusal(settings) == "none");
  settings.protocols = "SSLv3";
  CHECK(says(refusal(settings), {"tls-protocols: 'SSLv3' is no version", "TLSv1.3"}));
  settings.protocols.clear();
  settings.ciphers = "DEFAULT:!MEDIUM";
  settings.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256";
  CHECK(refusal(settings) == "none");
  settings.ciphers = "NONSENSE";
  CHECK(says(refusal(settings), {"tls-ciphers 'NONSENSE': ", "openssl ciphers"}));
  settings.ciphers.clear();
  settings.ciphersuites = "NONSENSE";
  CHECK(says(refusal(settings), {"tls-ciphersuites 'NONSENSE': "}));
}

TEST_CASE("outgoing connections have a certificate of their own, or the server's, or none") {
  TlsSettings settings = TestCertificates::settings("server");
  settings.client_cert_file = TestCertificates::file("client.crt");
  settings.client_key_file = TestCertificates::file("server.key");
  CHECK(refusal(settings) == "none");  // of no concern to what comes in
  CHECK(says(refusal(settings, Side::kClient), {"tls-client-key-file '", "tls-client-cert-file '"}));
  settings.client_key_file = TestCertificates::file("client.key");
  CHECK(refusal(settings, Side::kClient) == "none");
  settings.client_key_file.clear();
  CHECK(refusal(settings, Side::kClient) == "none");
  TlsSettings bare;
  bare.ca_cert_file = TestCertificates::file("ca.crt");
  CHECK(refusal(bare, Side::kClient) == "none");
}

TEST_CASE("a certificate whose time is over is taken, and told of") {
  const auto made = TlsContext::make(Side::kServer, TestCertificates::settings("expired"));
  REQUIRE(made);
  REQUIRE((*made)->warnings().size() == 1);
  CHECK(says((*made)->warnings()[0], {"tls-cert-file '" + TestCertificates::file("expired.crt") + "'", "over"}));
}
