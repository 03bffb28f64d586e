"""What words of names and descriptions say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinns_qgis.series.names.polarisations import is_made_from_images, polarisations

IMAGES = (
    "s1a_31UES_vv_DES_110_20180103txxxxxx_filtered",
    "s1a_31UES_vh_ASC_008_20180103t055812_NormLim",
    "s1a_31UES_vv_DES_110_20180103txxxxxx_GammaNaughtRTC",
    "OPERA_L2_RTC-S1_T034-071092-IW3_20230611T002900Z_20230928T203216Z_S1A_30_v1.0_VV",
    "S1A_IW_20180103T055812_DVP_RTC10_G_gpuned_1234_VV",
    "S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db",
    "S1A__IW___A_20150309T173017_VV_NR_Orb_Cal_ML_TF_TC_elev",
    "S1A_IW_GRDH_1SDV_20180103T055812_20180103T055837_019987_0220B4_8DB5_Orb_NR_Spk_Cal_TC_Gamma0_VV_db",
    "S1B_20190902T032024_DES_TODO_01785302198EF35A_36MXB_SIGMA0_VH",
    "iw-vv.rtc",
    "S1-SIGMA0-VV",
    "calibration_VV_2018",
    "VV_mean",
    "italia_vv_italy",
    "Intensity_VV",
    "I_VV",
)


@pytest.mark.parametrize("name", IMAGES)
def test_names_of_images_are_of_one_polarisation_and_hold_no_such_word(name):
    assert len(polarisations(name)) == 1
    assert not is_made_from_images(name)


@given(
    word=st.sampled_from(["coherence", "coh", "ratio", "diff", "std", "angle", "entropy", "alpha", "texture"]),
    how=st.sampled_from([str.lower, str.upper, str.capitalize]),
    joint=st.sampled_from("_- .(/0"),
    name=st.sampled_from(["VV", "S1A_20180301_vh", "Gamma0_VV_dB"]),
    first=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_word_is_found_wherever_it_stands_and_whatever_joins_it(word, how, joint, name, first):
    assert is_made_from_images(f"{how(word)}{joint}{name}" if first else f"{name}{joint}{how(word)}")


@pytest.mark.parametrize("text", ["VV/VH", "VV-VH", "VH_VV", "VV_minus_VH", "vv div vh", "HV_VH"])
def test_two_polarisations_are_told(text):
    assert len(polarisations(text)) == 2


@pytest.mark.parametrize("text", ["VVdivVH", "VVVH", "savvy", "1SDVV"])
def test_letters_within_a_word_are_no_polarisation(text):
    assert not polarisations(text)
