// The table of types.
#include "server/snapshot/value_forms.h"

#include <algorithm>

#include "server/snapshot/command_text.h"
#include "server/snapshot/stream_forms.h"
#include "server/snapshot/string_forms.h"
#include "server/store/string_value.h"

namespace vedette {
namespace {

struct WrittenForm {
  ValueType type;
  RdbType (*code)(const Entry&);
  bool (*write)(const Entry&, BlockLog&, const ValueWriteOptions&, ValueProgress&, size_t);
  bool (*print)(const Entry&, BlockLog&, ValueProgress&, size_t);
};
struct ReadForm {
  RdbType code;
  RdbFamily family;  // that of the codes from 22 on; the others are common
  ReadOutcome (*read)(RdbInput&, std::string_view, ValueReading&);
};

constexpr WrittenForm kWrittenForms[] = {
    {ValueType::kString, string_rdb_type, write_string_slice, print_string_slice},
    {ValueType::kStream, stream_rdb_type, write_stream_slice, print_stream_slice},
};
constexpr ReadForm kReadForms[] = {
    {RdbType::kString, RdbFamily::kRedis, read_string_value},
    {RdbType::kStreamListpacks, RdbFamily::kRedis, read_stream_value},
    {RdbType::kStreamListpacks2, RdbFamily::kRedis, read_stream_value},
    {RdbType::kStreamListpacks3, RdbFamily::kRedis, read_stream_value},
};

const WrittenForm& written_form(const Entry& entry) {
  for (const WrittenForm& form : kWrittenForms)
    if (form.type == entry.type()) return form;
  panic("a value of a type without a form was to be written", __FILE__, __LINE__);
}

const ReadForm* read_form(RdbFamily family, uint8_t code) {
  for (const ReadForm& form : kReadForms)
    if (uint8_t(form.code) == code && (code < uint8_t(RdbType::kHashMetadataPreGa) || form.family == family))
      return &form;
  return nullptr;
}

void print_expiry(const Entry& entry, BlockLog& out) {
  IntegerText text;
  out.append("*3\r\n$9\r\nPEXPIREAT\r\n");
  append_argument(out, entry.key());
  append_argument(out, {text.digits, print_integer(text.digits, entry.expiry_ms())});
}

}  // namespace

RdbType rdb_type_of(const Entry& entry) { return written_form(entry).code(entry); }

bool write_value_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options,
                       ValueProgress& progress, size_t budget_bytes) {
  return written_form(entry).write(entry, out, options, progress, std::max<size_t>(budget_bytes, 1));
}

bool print_entry_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget_bytes) {
  if (!written_form(entry).print(entry, out, progress, std::max<size_t>(budget_bytes, 1))) return false;
  if (entry.has_expiry()) print_expiry(entry, out);
  return true;
}

void ValueReading::reset() {
  if (entry) destroy_entry(entry);
  entry = nullptr;
  left = step = 0;
  scratch.clear();
  error.clear();
}

bool can_read_value(RdbFamily family, uint8_t code) { return read_form(family, code) != nullptr; }

ReadOutcome read_value(RdbInput& input, std::string_view key, ValueReading& reading) {
  if (reading.code == uint8_t(RdbType::kString)) return read_string_value(input, key, reading);
  const ReadForm* form = read_form(reading.version.family, reading.code);
  VED_ASSERT(form);
  return form->read(input, key, reading);
}

}  // namespace vedette
