# SPDX-License-Identifier: Apache-2.0
# Asks the preprocessor which features the provider's configuration headers switch on.

# read_macros(OUT PROBLEM INCLUDES): all macros; PROBLEM is the compiler's first error, or nothing.
function(read_macros out problem includes)
    set(flags "")
    foreach(dir ${includes})
        if(NOT dir MATCHES "^\\$<")
            list(APPEND flags "-I${dir}")
        endif()
    endforeach()
    execute_process(
        COMMAND ${CMAKE_C_COMPILER} -E -dM ${flags} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/features.c
        RESULT_VARIABLE failed OUTPUT_VARIABLE macros ERROR_VARIABLE text)
    set(line "")
    if(failed)
        string(REGEX MATCH "[^\n]*error[^\n]*" line "${text}")
        string(APPEND line " ")
    endif()
    # A library may have the records of LwM2M 1.2 without its operations, so that the macro does not tell.
    execute_process(
        COMMAND ${CMAKE_C_COMPILER} -fsyntax-only ${flags} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/layout.c
        RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    if(NOT failed)
        string(APPEND macros "#define ANJAY_HAS_LWM2M12_LAYOUT\n")
    endif()
    set(${out} "${macros}" PARENT_SCOPE)
    set(${problem} "${line}" PARENT_SCOPE)
endfunction()

# write_features(MACROS): writes ANJAY_MACRO_FILE, and sets ANJAY_TLS_BACKEND and ANJAY_HAS_LWM2M12_LAYOUT.
function(write_features macros)
    set(ANJAY_MACRO_FILE ${CMAKE_CURRENT_BINARY_DIR}/macros.txt)
    # Later public API is announced by no macro of its own: the version stands for it.
    foreach(minor RANGE 10 14)
        if(ANJAY_PROVIDER_VERSION VERSION_GREATER_EQUAL 3.${minor})
            string(APPEND macros "#define ANJAY_SINCE_3_${minor}\n")
        endif()
    endforeach()
    file(CONFIGURE OUTPUT ${ANJAY_MACRO_FILE} CONTENT "${macros}" @ONLY)

    set(tls none)
    foreach(backend OPENSSL MBEDTLS TINYDTLS CUSTOM_TLS)
        if(macros MATCHES "#define AVS_COMMONS_WITH_${backend}[ \n]")
            string(TOLOWER ${backend} tls)
        endif()
    endforeach()
    if(tls STREQUAL openssl)
        find_package(OpenSSL QUIET)
        set(version "${OPENSSL_VERSION}")
    else()
        set(version "${ANJAY_MBEDTLS_VERSION}")
    endif()
    if(version AND tls MATCHES "^(openssl|mbedtls)$")
        string(APPEND tls "-${version}")
    endif()
    if(macros MATCHES "#define ANJAY_HAS_LWM2M12_LAYOUT[ \n]")
        set(ANJAY_HAS_LWM2M12_LAYOUT ON PARENT_SCOPE)
    endif()
    set(ANJAY_MACRO_FILE ${ANJAY_MACRO_FILE} PARENT_SCOPE)
    set(ANJAY_TLS_BACKEND ${tls} PARENT_SCOPE)
endfunction()
