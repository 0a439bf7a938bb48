# cmake -DPROGRAM=program -DPAGE=page.md -P same_as_page.cmake: fails unless what the program prints stands in the page.
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
file(READ ${PAGE} page)
string(FIND "${page}" "```\n${printed}```" found)
if(found EQUAL -1)
  message(FATAL_ERROR "${PAGE} does not show what ${PROGRAM} prints:\n${printed}")
endif()
