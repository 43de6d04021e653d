# Every lab of the library is a test in both worlds: each world runs it several times and must give the same trace each
# time, and the two worlds must give the same trace as each other. Where the machine cannot run namespaces, the netns cases
# say so and are skipped (exit status 3). A lab that `promises: verdict` has the kernel's own NAT in it: it runs in
# namespaces only, and must give the same verdict each time.
set(FAREND_LAB_REPEAT 20 CACHE STRING "How often each lab runs in each world")
# Hundreds of phones take seconds in any world: in namespaces once, since `same` compares it with the simulated runs; but
# in the configuration `long` (scripts/test --long) as often as all the others.
set(FAREND_LAB_REPEAT_SCALE 2 CACHE STRING "How often the labs of scale/ run in sim, at most")

function(farend_lab_repeats out lab world)
  set(most ${FAREND_LAB_REPEAT})
  if(lab MATCHES "^scale/" AND world STREQUAL netns)
    set(most 1)
  elseif(lab MATCHES "^scale/")
    set(most ${FAREND_LAB_REPEAT_SCALE})
  endif()
  if(most GREATER FAREND_LAB_REPEAT)
    set(most ${FAREND_LAB_REPEAT})
  endif()
  set(${out} ${most} PARENT_SCOPE)
endfunction()

# What takes longest begins first: a thousand namespaces, then minutes of talk through each of theirs.
function(farend_lab_cost out lab world)
  set(${out} 1 PARENT_SCOPE)
  if(lab MATCHES "^scale/")
    set(${out} 80 PARENT_SCOPE)
  elseif(world STREQUAL netns AND lab MATCHES "^(faults|mappings|media|sbc|wires)/")
    set(${out} 40 PARENT_SCOPE)
  endif()
endfunction()

# As `labs/<lab>/<world>`, so often as the others, in the configuration `long` only.
function(farend_lab_long lab world out)
  add_test(NAME labs/${lab}/${world}-long CONFIGURATIONS long
           COMMAND farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml --world ${world}
                   --repeat ${FAREND_LAB_REPEAT} --out ${out}-long)
  set_tests_properties(labs/${lab}/${world}-long PROPERTIES LABELS "labs;${world}" SKIP_RETURN_CODE 3 TIMEOUT 7200
                       COST 50)
endfunction()

file(GLOB_RECURSE labs CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/topologies ${CMAKE_SOURCE_DIR}/topologies/*.yaml)
set(lab_runs ${CMAKE_BINARY_DIR}/runs)

foreach(lab ${labs})
  file(STRINGS ${CMAKE_SOURCE_DIR}/topologies/${lab} promise REGEX "^promises: *verdict")
  if(promise)
    set(worlds netns)
  else()
    set(worlds sim netns)
  endif()
  string(REGEX REPLACE "\\.yaml$" "" lab ${lab})
  string(REPLACE "/" "-" folder ${lab})
  # Other people's programs: on the kernel and the real clock, so there is nothing to compare, and one at a time. Skipped
  # where they are not installed (exit status 3, and the verdict says which).
  if(lab MATCHES "^programs/")
    add_test(NAME labs/${lab}
             COMMAND farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml --out ${lab_runs}/${folder})
    set_tests_properties(labs/${lab} PROPERTIES LABELS "labs;programs" SKIP_RETURN_CODE 3 TIMEOUT 300
                         RESOURCE_LOCK real-clock COST 90)
    continue()
  endif()
  foreach(world ${worlds})
    farend_lab_repeats(repeat ${lab} ${world})
    farend_lab_cost(cost ${lab} ${world})
    add_test(NAME labs/${lab}/${world}
             COMMAND farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml --world ${world}
                     --repeat ${repeat} --out ${lab_runs}/${folder}-${world})
    set_tests_properties(labs/${lab}/${world} PROPERTIES LABELS "labs;${world}" SKIP_RETURN_CODE 3 TIMEOUT 1200
                         COST ${cost} FIXTURES_SETUP ${folder}-${world})
    if(repeat LESS FAREND_LAB_REPEAT)
      farend_lab_long(${lab} ${world} ${lab_runs}/${folder}-${world})
    endif()
  endforeach()
  if(NOT promise)
    add_test(NAME labs/${lab}/same
             COMMAND farend diff ${lab_runs}/${folder}-sim ${lab_runs}/${folder}-netns)
    set_tests_properties(labs/${lab}/same PROPERTIES LABELS "labs;netns" SKIP_RETURN_CODE 3
                         FIXTURES_REQUIRED "${folder}-sim;${folder}-netns")
  endif()
endforeach()

# The same lab with some settings changed, in both worlds: farend_lab_with(LAB VARIANT PATH=VALUE…).
function(farend_lab_with lab variant)
  string(REPLACE "/" "-" folder ${lab}-${variant})
  set(changes)
  foreach(change ${ARGN})
    list(APPEND changes --set ${change})
  endforeach()
  foreach(world sim netns)
    farend_lab_repeats(repeat ${lab} ${world})
    add_test(NAME labs/${lab}/${variant}-${world}
             COMMAND farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml ${changes} --world ${world}
                     --repeat ${repeat} --out ${lab_runs}/${folder}-${world})
    set_tests_properties(labs/${lab}/${variant}-${world} PROPERTIES LABELS "labs;${world}" SKIP_RETURN_CODE 3
                         TIMEOUT 1200 FIXTURES_SETUP ${folder}-${world})
  endforeach()
  add_test(NAME labs/${lab}/${variant}-same
           COMMAND farend diff ${lab_runs}/${folder}-sim ${lab_runs}/${folder}-netns)
  set_tests_properties(labs/${lab}/${variant}-same PROPERTIES LABELS "labs;netns" SKIP_RETURN_CODE 3
                       FIXTURES_REQUIRED "${folder}-sim;${folder}-netns")
endfunction()
# RFC 5626 is the same over TLS as over TCP.
farend_lab_with(flows/outbound-two-edges tls nodes.alice.transport=tls "nodes.alice.persistent tls=yes")
farend_lab_with(flows/outbound-back-off tls
                nodes.alice.transport=tls "nodes.alice.persistent tls=yes"
                nodes.carol.transport=tls "nodes.carol.persistent tls=yes")

# The same labs with the kernel's own NAT in place of farend's: every expectation holds there too. There are no traces to
# compare, so a few times tell as much as many.
function(farend_lab_on_kernel lab)
  string(REPLACE "/" "-" folder ${lab})
  set(changes --set promises=verdict)
  foreach(node ${ARGN})
    list(APPEND changes --set nodes.${node}.engine=kernel)
  endforeach()
  add_test(NAME labs/${lab}/kernel
           COMMAND farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml ${changes} --repeat 4 --out ${lab_runs}/${folder}-kernel)
  set_tests_properties(labs/${lab}/kernel PROPERTIES LABELS "labs;netns" SKIP_RETURN_CODE 3 TIMEOUT 1200)
endfunction()
farend_lab_on_kernel(calls/double-nat router cgn)
farend_lab_on_kernel(mappings/register-only router)
farend_lab_on_kernel(mappings/register-only-cured router)
farend_lab_on_kernel(mappings/udp-expiry router)
farend_lab_on_kernel(mappings/udp-expiry-cured router)
farend_lab_on_kernel(nat/lifetimes cgn nat-short nat-usual nat-good nat-spoilt)
farend_lab_on_kernel(nat/no-hairpin router)
farend_lab_on_kernel(nat/no-hairpin-cured router)
farend_lab_on_kernel(nat/presets-depth-1 nat3)
farend_lab_on_kernel(nat/reboot router)
farend_lab_on_kernel(nat/reboot-cured router)
farend_lab_on_kernel(nat/reboot-during-registration router)
farend_lab_on_kernel(nat/same-nat-shortcut router gateway cgn)
farend_lab_on_kernel(nat/same-nat-shortcut-cured router gateway cgn)
farend_lab_on_kernel(sbc/no-public-address router firewall)
farend_lab_on_kernel(sbc/no-public-address-cured router firewall)

# And with both as `preset: linux` describes Linux: the same verdict, which is that every expectation holds.
function(farend_lab_as_linux lab)
  string(REPLACE "/" "-" folder ${lab})
  set(changes --set promises=verdict)
  foreach(node ${ARGN})
    list(APPEND changes --set nodes.${node}.preset=linux)
  endforeach()
  set(run farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml ${changes})
  add_test(NAME labs/${lab}/linux-farend COMMAND ${run} --world sim --out ${lab_runs}/${folder}-linux-farend)
  foreach(node ${ARGN})
    list(APPEND run --set nodes.${node}.engine=kernel)
  endforeach()
  add_test(NAME labs/${lab}/linux-kernel COMMAND ${run} --out ${lab_runs}/${folder}-linux-kernel)
  set_tests_properties(labs/${lab}/linux-farend PROPERTIES LABELS "labs;sim" TIMEOUT 300)
  set_tests_properties(labs/${lab}/linux-kernel PROPERTIES LABELS "labs;netns" SKIP_RETURN_CODE 3 TIMEOUT 300)
endfunction()
farend_lab_as_linux(calls/busy-and-cancel router)
farend_lab_as_linux(calls/double-nat router cgn)
farend_lab_as_linux(faults/fragments-lost router)
farend_lab_as_linux(faults/keep-alives-lost router)
farend_lab_as_linux(faults/register-lost router)
farend_lab_as_linux(mappings/nat-rebinding router)
farend_lab_as_linux(mappings/nat-rebinding-cured router)
farend_lab_as_linux(mappings/only-options router)
farend_lab_as_linux(mappings/only-options-cured router)
farend_lab_as_linux(mappings/refresh-meets-nothing router)
farend_lab_as_linux(mappings/refresh-meets-nothing-cured router)
farend_lab_as_linux(mappings/register-only router)
farend_lab_as_linux(mappings/register-only-cured router)
farend_lab_as_linux(mappings/udp-expiry router)
farend_lab_as_linux(mappings/udp-expiry-cured router)
farend_lab_as_linux(media/learning-race router gateway)
farend_lab_as_linux(media/learning-race-cured router gateway)
farend_lab_as_linux(media/rtp-bleed router gateway)
farend_lab_as_linux(media/rtp-bleed-cured router gateway)
farend_lab_as_linux(media/ttl-exhaustion-one-way router-a router-c)
farend_lab_as_linux(nat/lifetimes cgn nat-short nat-usual nat-good nat-spoilt)
farend_lab_as_linux(nat/no-hairpin router)
farend_lab_as_linux(nat/no-hairpin-cured router)
farend_lab_as_linux(nat/reboot router)
farend_lab_as_linux(nat/reboot-cured router)
farend_lab_as_linux(nat/reboot-during-registration router)
farend_lab_as_linux(nat/same-nat-shortcut router gateway cgn)
farend_lab_as_linux(nat/same-nat-shortcut-cured router gateway cgn)
farend_lab_as_linux(sbc/ack-misrouted-cured router firewall)
farend_lab_as_linux(sbc/no-public-address router firewall)
farend_lab_as_linux(sbc/no-public-address-cured router firewall)
