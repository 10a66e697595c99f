#pragma once

#include <string>

#include "training/log.h"

namespace jina {

/// What a report tells besides the log.
struct ReportText {
  std::string title;   ///< name of the run
  std::string recipe;  ///< its text
};

/// One HTML page that needs nothing else, not even a script: curves of the loss, its terms, the gradient norm, the
/// learning rate, the speed and each evaluation; tables of the last figures, the data and what filters removed; the
/// recipe and the facts of the run. Also of a run that is under way.
std::string report_html(const RunHistory& history, const ReportText& text);

/// Reads the log and writes the page; it appears under its name when it is complete. Errors: those of read_log; kIo.
void write_report(const std::string& log_path, const std::string& html_path, const ReportText& text);

}  // namespace jina
