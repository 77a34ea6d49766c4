// Digests of ordered and of unordered parts, put together as other servers do.
#include "server/store/digest.h"

#include "server/store/value_kind.h"

namespace vedette {
namespace {

std::string_view bytes_of(const Sha1Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

void add_value(DigestMixer& digest, const Entry& entry) {
  digest.add_number(uint32_t(entry.type()));
  kind_of(entry).digest(entry, digest);
  if (entry.has_expiry()) digest.add_unordered("!!expire!!");
}

}  // namespace

void DigestMixer::add_unordered(std::string_view bytes) {
  const Sha1Digest other = sha1(bytes);
  for (size_t i = 0; i < digest_.size(); i++) digest_[i] ^= other[i];
}

void DigestMixer::add_unordered(const DigestMixer& other) { add_unordered(bytes_of(other.digest_)); }

void DigestMixer::add_ordered(std::string_view bytes) {
  add_unordered(bytes);
  digest_ = sha1(bytes_of(digest_));
}

void DigestMixer::add_number(uint32_t number) {
  const char big_endian[] = {char(number >> 24), char(number >> 16), char(number >> 8), char(number)};
  add_ordered({big_endian, sizeof big_endian});
}

Sha1Digest value_digest(const Entry& entry) {
  DigestMixer digest;
  add_value(digest, entry);
  return digest.digest();
}

Sha1Digest dataset_digest(const Keyspace& keyspace) {
  DigestMixer total;
  for (int i = 0; i < keyspace.count(); i++) {
    const Database& db = keyspace.db(i);
    if (!db.size()) continue;
    total.add_number(uint32_t(i));
    db.table().for_each([&](const Entry& entry) {
      DigestMixer digest;
      digest.add_ordered(entry.key());
      add_value(digest, entry);
      total.add_unordered(digest);
    });
  }
  return total.digest();
}

}  // namespace vedette
