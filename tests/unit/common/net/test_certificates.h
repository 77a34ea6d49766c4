// Certificates for tests, made once a process by scripts/make_test_certificates.sh in a folder that goes with the process.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "common/net/tls_context.h"

namespace vedette {

class TestCertificates {
 public:
  static const std::string& folder() {
    static const TestCertificates kMade;
    return kMade.folder_;
  }
  static std::string file(const std::string& name) { return folder() + "/" + name; }
  /// Both sides' settings: `name`'s certificate and key, and who trusts the usual authority.
  static TlsSettings settings(const std::string& name) {
    TlsSettings settings;
    settings.cert_file = file(name + ".crt");
    settings.key_file = file(name + ".key");
    settings.ca_cert_file = file("ca.crt");
    return settings;
  }

 private:
  TestCertificates() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vedette-certificates-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    const std::string command = std::string(VEDETTE_SOURCE_ROOT) + "/scripts/make_test_certificates.sh " + folder_;
    REQUIRE(std::system(command.c_str()) == 0);
  }
  ~TestCertificates() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string folder_;
};

}  // namespace vedette
