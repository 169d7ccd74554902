# SPDX-License-Identifier: Apache-2.0
# stop(TEXT): end the configuration with one line that says what to do. CMake wraps the text of FATAL_ERROR and adds a
# backtrace, so the line goes first, as it is; build_backend.py prints it once more after all that.
function(stop text)
    message(NOTICE "anjay_cffi: ${text}")
    if(DEFINED ENV{ANJAY_CFFI_REASON})
        file(WRITE "$ENV{ANJAY_CFFI_REASON}" "anjay_cffi: ${text}")
    endif()
    message(FATAL_ERROR "configuration stopped, see the line above")
endfunction()
