// What may follow a cursor.
#include "server/commands/scan_options.h"

namespace vedette {

ScanOptions scan_options_from(ArgReader& args, uint32_t extras) {
  ScanOptions options;
  while (args.more()) {
    if (args.token_with("COUNT")) {
      options.count = args.integer();
      if (args.is_ok() && options.count < 1) args.fail_syntax();
    } else if (args.token_with("MATCH")) {
      options.pattern = args.text();
      options.has_pattern = options.pattern != "*";
    } else if ((extras & kScanType) && args.token_with("TYPE")) {
      options.type = args.text();
      options.has_type = true;
    } else if ((extras & kScanNoValues) && args.token("NOVALUES")) {
      options.no_values = true;
    } else {
      args.fail_syntax();
    }
  }
  return options;
}

}  // namespace vedette
